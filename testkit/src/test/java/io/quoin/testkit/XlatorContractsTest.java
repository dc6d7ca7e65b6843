package io.quoin.testkit;

import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.boundary.BoundaryXlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/** The contract, held against a brick in memory and everything that may stand above it. */
@Timeout(300)
class XlatorContractsTest {
    @Nested
    class Memory extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return new MemoryXlator("brick");
        }
    }

    @Nested
    class MemoryThatCompletesLater extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return new MemoryXlator("brick", false);
        }

        @Override
        protected VirtualLoopGroup createLoops() {
            return VirtualLoopGroup.random(2, 11);
        }
    }

    @Nested
    class Reordering extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return new ReorderingXlator("reorder", new MemoryXlator("brick"), 12);
        }
    }

    @Nested
    class TenPassThroughs extends XlatorContract {
        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            Xlator top = new MemoryXlator("brick");
            for (int i = 0; i < 10; i++) {
                top = new PassThrough("pass-" + i, new BoundaryXlator(top));
            }
            return top;
        }
    }

    private static final class PassThrough extends PassThroughXlator {
        PassThrough(String name, Xlator subvolume) {
            super(name, "test/pass", subvolume);
        }
    }

    @Nested
    class PassThroughAboveAnUnreliableChild extends ChildContract {
        @Override
        protected Xlator above(Xlator below, VirtualLoopGroup loops) {
            return new PassThrough("pass", below);
        }
    }

    /** A filter of a graph, above a child that a test gives it. */
    abstract static class FilterAboveAnUnreliableChild extends ChildContract {
        private final String type;
        private final Map<String, String> options;

        FilterAboveAnUnreliableChild(String type, Map<String, String> options) {
            this.type = type;
            this.options = options;
        }

        @Override
        protected Xlator above(Xlator below, VirtualLoopGroup loops) {
            GraphContext context = new GraphContext(loops, loops.blocking(), Path.of("."));
            XlatorType made = XlatorTypes.load().find(type).orElseThrow();
            return made.create(
                    "filter", new OptionValues(made.options(), options), List.of(below), context);
        }
    }

    @Nested
    class IoStatsAboveAnUnreliableChild extends FilterAboveAnUnreliableChild {
        IoStatsAboveAnUnreliableChild() {
            super("debug/io-stats", Map.of());
        }
    }

    @Nested
    class TraceAboveAnUnreliableChild extends FilterAboveAnUnreliableChild {
        TraceAboveAnUnreliableChild() {
            super("debug/trace", Map.of("log-file", "off"));
        }
    }

    @Nested
    class DelayGenAboveAnUnreliableChild extends FilterAboveAnUnreliableChild {
        DelayGenAboveAnUnreliableChild() {
            super("debug/delay-gen", Map.of("delay-percentage", "50%", "seed", "13"));
        }
    }

    @Nested
    class ThrottleAboveAnUnreliableChild extends FilterAboveAnUnreliableChild {
        ThrottleAboveAnUnreliableChild() {
            super("features/throttle", Map.of("iops-total", "1000"));
        }
    }

    /** A filter of a graph, above memory that completes later. */
    abstract static class FilterContract extends XlatorContract {
        private final String type;
        private final String options;

        FilterContract(String type, String options) {
            this.type = type;
            this.options = options;
        }

        @Override
        protected Xlator createXlator(VirtualLoopGroup loops) {
            return GraphBed.buildAll(
                            loops,
                            "volume brick\n type testkit/memory\n option completion loop\n"
                                    + "end-volume\n"
                                    + "volume filter\n type "
                                    + type
                                    + "\n"
                                    + options
                                    + "\n subvolumes brick\nend-volume\n")
                    .top();
        }
    }

    @Nested
    class IoStats extends FilterContract {
        IoStats() {
            super("debug/io-stats", "");
        }
    }

    @Nested
    class Trace extends FilterContract {
        Trace() {
            super("debug/trace", "option log-file off");
        }
    }

    @Nested
    class DelayGen extends FilterContract {
        DelayGen() {
            super("debug/delay-gen", "option delay-percentage 50% option seed 13");
        }
    }

    @Nested
    class ErrorGen extends FilterContract {
        ErrorGen() {
            super("debug/error-gen", "option failure 0 option seed 1");
        }
    }

    @Nested
    class ReadOnlyThatIsOff extends FilterContract {
        ReadOnlyThatIsOff() {
            super("features/read-only", "option read-only off");
        }
    }

    @Nested
    class Throttle extends FilterContract {
        Throttle() {
            super("features/throttle", "");
        }
    }

    @Nested
    class ThrottleThatThrottles extends FilterContract {
        ThrottleThatThrottles() {
            super(
                    "features/throttle",
                    "option iops-total 5000 option bps-write 50M option iops-read 3000");
        }
    }
}
