package io.quoin.xlator.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.GraphBed;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class GraphTest {
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);

    @Test
    void shouldPutABoundaryAboveEachNodeWhenBuilt() {
        Graph graph =
                GraphBed.build(
                        loops,
                        "volume stats\n type debug/io-stats\n subvolumes brick\nend-volume\n");
        assertThat(graph.names()).containsExactly("brick", "stats");
        assertThat(graph.top()).isInstanceOf(BoundaryXlator.class);
        assertThat(graph.top().name()).isEqualTo("stats");
        assertThat(graph.top().subvolumes()).containsExactly(graph.node("brick"));
        assertThat(graph.node("brick")).isInstanceOf(BoundaryXlator.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "type debug/iostats; subvolumes brick | t:5:6: unknown xlator type: name=debug/iostats,"
                        + " expected=one of debug/delay-gen, debug/error-gen, debug/io-stats,"
                        + " debug/trace, features/read-only, features/throttle, testkit/memory; did"
                        + " you mean debug/io-stats?",
                "type debug/io-stats; option latency-measurment on; subvolumes brick | t:6:8: unknown"
                        + " option of debug/io-stats: name=latency-measurment, expected=one of"
                        + " latency-measurement; did you mean latency-measurement?",
                "option latency-measurement maybe; type debug/io-stats; subvolumes brick | t:5:8: option"
                        + " has a wrong value: name=latency-measurement, expected=on or off,"
                        + " actual=maybe",
                "subvolumes brick; type testkit/memory | t:5:1: wrong number of subvolumes:"
                        + " type=testkit/memory, expected=0, actual=1",
                "subvolumes brick; type debug/trace; option history-size 0 | t:4:8: option has a wrong"
                        + " value: name=history-size, expected=1 to 1000000, actual=0",
                "subvolumes brick; type debug/error-gen; option enable raed | t:4:8: unknown operation:"
                        + " name=raed, expected=one of read, write, write-zeroes, discard, flush,"
                        + " block-status, cache, list, stat, statfs, create, open, rename, replace, remove, resize,"
                        + " close; did you mean read?",
            })
    void shouldNameThePlaceWhenItCannotBeBuilt(String volume, String message) {
        String text =
                "volume brick\ntype testkit/memory\nend-volume\nvolume top\n"
                        + volume.replace("; ", "\n")
                        + "\nend-volume\n";
        assertThatThrownBy(
                        () ->
                                Graph.build(
                                        Volfile.parse(text, "t"),
                                        new GraphContext(loops, loops.blocking(), Path.of("."))))
                .isInstanceOf(BlockException.class)
                .hasMessage(message);
    }

    @Test
    void shouldNameTheTypeWhenASubvolumeIsMissing() {
        assertThatThrownBy(
                        () -> GraphBed.buildAll(loops, "volume a\ntype debug/trace\nend-volume\n"))
                .hasMessage(
                        "test.vol:2:6: wrong number of subvolumes: type=debug/trace, expected=1,"
                                + " actual=0");
    }

    @Test
    void shouldCloseFromTheTopDownEvenWhenOneFails() {
        List<String> closed = new ArrayList<>();
        Graph graph = closingGraph(closed, "b");
        assertThatThrownBy(() -> loops.await(graph.close()))
                .isInstanceOf(BlockException.class)
                .hasMessage("b does not close");
        assertThat(closed).containsExactly("c", "b", "a");
    }

    @Test
    void shouldCloseWhatWasMadeWhenALaterNodeCannotBeMade() {
        List<String> closed = new ArrayList<>();
        assertThatThrownBy(() -> closingGraph(closed, "", "cannot-be-made"))
                .isInstanceOf(BlockException.class)
                .hasMessage("volume d: made to fail");
        assertThat(closed).containsExactly("c", "b", "a");
    }

    /** Nodes a, b, c above a brick; one of them fails to close. */
    private Graph closingGraph(List<String> closed, String failing, String... more) {
        List<VolumeSpec> volumes = new ArrayList<>();
        volumes.add(spec("brick", "testkit/memory", List.of()));
        volumes.add(spec("a", "test/closing", List.of("brick")));
        volumes.add(spec("b", "test/closing", List.of("a")));
        volumes.add(spec("c", "test/closing", List.of("b")));
        for (String type : more) {
            volumes.add(spec("d", type, List.of("c")));
        }
        List<XlatorType> types = new ArrayList<>(XlatorTypes.load().all());
        types.add(
                new FilterType("test/closing", OptionTable.of()) {
                    @Override
                    protected Xlator create(
                            String name, OptionValues values, Xlator below, GraphContext context) {
                        return new ClosingXlator(name, below, closed, name.equals(failing));
                    }
                });
        types.add(
                new FilterType("cannot-be-made", OptionTable.of()) {
                    @Override
                    protected Xlator create(
                            String name, OptionValues values, Xlator below, GraphContext context) {
                        throw new BlockException(BlockError.EIO, "made to fail");
                    }
                });
        return Graph.build(
                Volfile.of(volumes),
                new GraphContext(loops, loops.blocking(), Path.of(".")),
                XlatorTypes.of(types));
    }

    private static VolumeSpec spec(String name, String type, List<String> subvolumes) {
        return new VolumeSpec(name, type, Map.of(), subvolumes);
    }

    private static final class ClosingXlator extends PassThroughXlator {
        private final List<String> closed;
        private final boolean fails;

        ClosingXlator(String name, Xlator below, List<String> closed, boolean fails) {
            super(name, "test/closing", below);
            this.closed = closed;
            this.fails = fails;
        }

        @Override
        public CompletionStage<Void> close() {
            closed.add(name());
            return fails
                    ? CompletableFuture.failedFuture(
                            new BlockException(BlockError.EIO, name() + " does not close"))
                    : CompletableFuture.completedFuture(null);
        }
    }

    @Test
    void shouldRefuseToCloseWhenAFileIsOpen() {
        Graph graph = GraphBed.build(loops, "");
        loops.await(graph.top().create("a", CreateOptions.ofSize(512)));
        XlatorFile file = loops.await(graph.top().open("a", OpenOptions.READ_WRITE, loops.loop(0)));
        assertThatThrownBy(() -> loops.await(graph.close()))
                .hasMessage("node has open files: name=brick, files=a");
        loops.await(loops.loop(0).call(file::close));
        loops.await(graph.close());
        assertThatThrownBy(() -> loops.await(graph.top().list()))
                .hasMessage("node is closed: name=brick");
    }

    @Test
    void shouldChangeLiveOptionsOnlyWhenTheyAre() {
        Graph graph =
                GraphBed.build(
                        loops,
                        """
                        volume trace
                            type debug/trace
                            option log-file off
                            subvolumes brick
                        end-volume
                        """);
        graph.reconfigure("trace", "exclude-ops", "read");
        assertThat(graph.volfile().print()).contains("option exclude-ops read");
        graph.reconfigure("trace", "exclude-ops", null);
        assertThat(graph.volfile().print()).doesNotContain("exclude-ops");
        assertThatThrownBy(() -> graph.reconfigure("trace", "history-size", "5"))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP));
        assertThatThrownBy(() -> graph.reconfigure("trace", "no-such", null))
                .hasMessageStartingWith("unknown option: name=no-such");
        assertThatThrownBy(() -> graph.reconfigure("trase", "log-file", "on"))
                .hasMessageEndingWith("did you mean trace?");
        assertThatThrownBy(() -> graph.reconfigure("trace", "exclude-ops", "raed"))
                .hasMessageEndingWith("did you mean read?");
        assertThat(graph.volfile().print()).doesNotContain("exclude-ops");
    }

    @Test
    void shouldGiveStatisticsOfEveryNode() {
        Graph graph =
                GraphBed.build(
                        loops,
                        "volume stats\n type debug/io-stats\n subvolumes brick\nend-volume\n");
        NodeStatistics statistics = graph.statistics();
        assertThat(statistics.name()).isEqualTo("stats");
        assertThat(statistics.values()).containsKeys("total", "files", "files-open");
        assertThat(statistics.subvolumes()).hasSize(1);
        assertThat(statistics.subvolumes().get(0).type()).isEqualTo("testkit/memory");
        assertThat(statistics.subvolumes().get(0).values()).containsEntry("files-open", 0);
    }
}
