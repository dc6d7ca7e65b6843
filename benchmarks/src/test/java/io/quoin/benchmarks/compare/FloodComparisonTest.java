package io.quoin.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code --flood}. */
@Timeout(300)
class FloodComparisonTest {
    @TempDir Path folder;

    private final CompareRun compare = new CompareRun();

    @Test
    @Tag("e2e")
    void shouldMeasureTheGuestBesideEachFloodWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_NBD, Peer.QEMU_IMG);

        int exitCode =
                compare.run(
                        folder,
                        "--flood",
                        "--servers=quoin,qemu-nbd",
                        "--rows=block-status,options,connections,writes",
                        "--clients=2",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=64",
                        "--output=json");

        assertThat(exitCode).as(compare.err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(compare.out.toString());
        assertThat(report.get("runs")).hasSize(4 * 2);
        for (JsonNode run : report.get("runs")) {
            assertThat(run.at("/alone/iops").asDouble()).as(run.toString()).isPositive();
            assertThat(run.get("floodPerSecond").asDouble()).as(run.toString()).isPositive();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldShowWhatTheGuestKeepsWhenThereAreSeveralRounds() throws Exception {
        List<FloodRun> runs = new ArrayList<>();
        double[] beside = {50, 90, 60};
        for (int round = 1; round <= 3; round++) {
            runs.add(
                    new FloodRun(
                            "reads",
                            "quoin",
                            round,
                            new FioLoad.Result(100, 10, 20, 0),
                            new FioLoad.Result(beside[round - 1], 30, 40, 1),
                            1000,
                            round,
                            5 << 20));
        }

        List<String> servers = List.of("quoin", "peer");
        FloodReport report = new FloodReport(List.of(FloodKind.READS), servers, runs);

        assertThat(report.table())
                .contains(
                        "| reads | quoin | 100 | 60 | 0.60 | 10 / 30 | 20 / 40 | 3 | 1000 | 2 | 5 |");
        assertThat(report.table()).contains("| reads | peer | ended |");
        assertThat(report.json()).contains("\"besideP99Micros\" : 40", "\"peer\" : null");
    }

    @Test
    void shouldReadTheTotalsOfAFlood() throws Exception {
        assertThat(FloodComparison.totals("flooding\ndone=12 lost=3\n").group(2)).isEqualTo("3");
        assertThatThrownBy(() -> FloodComparison.totals("flooding\n"))
                .isInstanceOf(IOException.class);
    }
}
