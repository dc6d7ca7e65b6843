package io.quoin.brick.posix;

import io.quoin.testkit.XlatorContract;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class PosixContractTest {
    @Nested
    class Buffered extends OnDisk {
        Buffered() {
            super(Map.of());
        }
    }

    @Nested
    class Cold extends OnDisk {
        Cold() {
            super(Map.of("cold-reads", "1"));
        }
    }

    @Nested
    class ColdByChance extends OnDisk {
        ColdByChance() {
            super(Map.of("cold-reads", "3"));
        }
    }

    @Nested
    class Direct extends OnDisk {
        Direct() {
            super(Map.of("direct-io", "on"));
        }
    }

    abstract static class OnDisk extends XlatorContract {
        @TempDir Path folder;

        private final Map<String, String> options;

        OnDisk(Map<String, String> options) {
            this.options = options;
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            Map<String, String> given = new HashMap<>(options);
            given.put("directory", "brick");
            PosixType type = new PosixType();
            return type.create(
                    "brick",
                    new OptionValues(type.options(), given),
                    List.of(),
                    new GraphContext(loops, loops.blocking(), folder));
        }
    }
}
