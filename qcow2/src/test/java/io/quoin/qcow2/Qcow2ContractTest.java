package io.quoin.qcow2;

import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.XlatorContract;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;

/** What every xlator keeps to, by images in a brick in memory. */
@Timeout(300)
class Qcow2ContractTest extends XlatorContract {
    @Override
    protected Xlator createXlator(VirtualLoopGroup loops) {
        Qcow2Type type = new Qcow2Type();
        return type.create(
                "images",
                new OptionValues(type.options(), Map.of()),
                List.of(new MemoryXlator("brick")),
                new GraphContext(loops, loops.blocking(), Path.of(".")));
    }

    @Override
    protected String fileName(String stem) {
        return stem + ".qcow2";
    }

    @Override
    protected boolean canShrink() {
        return false;
    }
}
