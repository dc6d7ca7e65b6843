package io.quoin.replicate.volume;

import io.quoin.testkit.ChildContract;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.XlatorContract;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import java.util.List;
import org.junit.jupiter.api.Nested;

/** The contract, held against names above files that have none. */
class VolumeContractTest {
    static Xlator volume(Xlator below, VirtualLoopGroup loops) {
        return new VolumeXlator(
                "volume", "test/volume", List.of(below), new MemoryFiles(below), loops.loop(0));
    }

    @Nested
    class Names extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return volume(new MemoryXlator("brick"), loops);
        }
    }

    @Nested
    class NamesOnAnotherLoop extends XlatorContract {
        @Override
        protected VirtualLoopGroup createLoops() {
            return VirtualLoopGroup.random(2, 17);
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            MemoryXlator brick = new MemoryXlator("brick", false);
            return new VolumeXlator(
                    "volume", "test/volume", List.of(), new MemoryFiles(brick), loops.loop(1));
        }
    }

    @Nested
    class ReplicatedFiles extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return replicated(new MemoryXlator("brick"), loops);
        }
    }

    @Nested
    class ReplicatedFilesThatAnswerLater extends XlatorContract {
        @Override
        protected VirtualLoopGroup createLoops() {
            return VirtualLoopGroup.random(2, 18);
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return replicated(new MemoryXlator("brick", false), loops);
        }
    }

    private static Xlator replicated(Xlator below, VirtualLoopGroup loops) {
        return new VolumeXlator(
                "volume",
                "test/volume",
                List.of(below),
                new MemoryFiles(below, true),
                loops.loop(0));
    }

    @Nested
    class AboveAnUnreliableChild extends ChildContract {
        @Override
        protected Xlator above(Xlator below, VirtualLoopGroup loops) {
            return volume(below, loops);
        }
    }
}
