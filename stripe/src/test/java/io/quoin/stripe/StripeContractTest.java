package io.quoin.stripe;

import io.quoin.testkit.ChildContract;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.XlatorContract;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;

/** The contract above children that complete at once, later, and in any order. */
class StripeContractTest {
    private abstract static class OfMemory extends XlatorContract {
        private final int count;
        private final long blockBytes;

        OfMemory(int count, long blockBytes) {
            this.count = count;
            this.blockBytes = blockBytes;
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            List<Xlator> children = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                children.add(new BoundaryXlator(child("brick" + i)));
            }
            return new StripeXlator("stripe", children, blockBytes, loops);
        }

        Xlator child(String name) {
            return new MemoryXlator(name);
        }
    }

    @Nested
    class OverTwo extends OfMemory {
        OverTwo() {
            super(2, 4096);
        }
    }

    @Nested
    class OverThreeThatCompleteLater extends OfMemory {
        OverThreeThatCompleteLater() {
            super(3, 4096);
        }

        @Override
        Xlator child(String name) {
            return new MemoryXlator(name, false);
        }
    }

    @Nested
    class OverFiveThatReorder extends OfMemory {
        OverFiveThatReorder() {
            super(5, 16384);
        }

        @Override
        protected VirtualLoopGroup createLoops() {
            return VirtualLoopGroup.random(1, 7);
        }

        @Override
        Xlator child(String name) {
            return new ReorderingXlator(name, new BoundaryXlator(new MemoryXlator(name)), 5);
        }
    }

    @Nested
    class OverTwoInBlocksOfAMebibyte extends OfMemory {
        OverTwoInBlocksOfAMebibyte() {
            super(2, 1 << 20);
        }
    }

    /** Child number {@code unreliable} of three is the one that misbehaves. */
    private abstract static class AboveAnUnreliableChild extends ChildContract {
        private final int unreliable;

        AboveAnUnreliableChild(int unreliable) {
            this.unreliable = unreliable;
        }

        @Override
        protected Xlator above(Xlator below, VirtualLoopGroup loops) {
            List<Xlator> children = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                children.add(
                        i == unreliable
                                ? below
                                : new BoundaryXlator(new MemoryXlator("other" + i)));
            }
            return new StripeXlator("stripe", children, 4096, loops);
        }
    }

    @Nested
    class AboveAFirstChildThatIsUnreliable extends AboveAnUnreliableChild {
        AboveAFirstChildThatIsUnreliable() {
            super(0);
        }
    }

    @Nested
    class AboveALastChildThatIsUnreliable extends AboveAnUnreliableChild {
        AboveALastChildThatIsUnreliable() {
            super(2);
        }
    }
}
