package io.quoin.replicate.volume;

import io.quoin.replicate.Layout;
import io.quoin.replicate.link.LocalBricks;
import io.quoin.testkit.XlatorContract;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** The contract, held against cluster/replicate above real gateways and bricks. */
class ReplicateContractTest {
    static Xlator replicate(LocalBricks bricks, Layout layout) {
        return bricks.create(
                new ReplicateType(), "r", bricks.nodes(), Map.of("layout", layout.text()));
    }

    private abstract static class OfLayout extends XlatorContract {
        private final Layout layout;
        private final int loopCount;

        OfLayout(Layout layout, int loopCount) {
            this.layout = layout;
            this.loopCount = loopCount;
        }

        @Override
        protected VirtualLoopGroup createLoops() {
            return VirtualLoopGroup.random(loopCount, 31);
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return replicate(new LocalBricks(loops, layout, loopCount == 1), layout);
        }
    }

    @Nested
    class OneBrick extends OfLayout {
        OneBrick() {
            super(Layout.ONE, 1);
        }
    }

    @Nested
    class TwoBricks extends OfLayout {
        TwoBricks() {
            super(Layout.TWO, 2);
        }
    }

    @Nested
    class TwoBricksAndAnArbiter extends OfLayout {
        TwoBricksAndAnArbiter() {
            super(Layout.TWO_ARBITER, 4);
        }
    }

    @Nested
    class ThreeBricks extends OfLayout {
        ThreeBricks() {
            super(Layout.THREE, 3);
        }
    }
}
