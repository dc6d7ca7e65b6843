package io.quoin.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(300)
class ManyTest {
    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    @Tag("e2e")
    void shouldMeasureManyDisksWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_NBD, Peer.QEMU_IMG);

        int exitCode =
                run(
                        "--many",
                        "--disks=4",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=4096",
                        "--output=json");

        assertThat(exitCode).as(err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("runs")).hasSize(2 + 2 + 3);
        for (JsonNode run : report.get("runs")) {
            assertThat(run.at("/result/iops").asDouble()).as(run.toString()).isPositive();
            assertThat(run.at("/result/errors").asLong()).as(run.toString()).isZero();
            assertThat(run.get("peakBytes").asLong()).as(run.toString()).isPositive();
            assertThat(run.get("isUp").asBoolean()).as(run.toString()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @Tag("e2e")
    void shouldMeasureSnapshotsWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_SYSTEM, Peer.QEMU_IMG);

        int exitCode =
                run(
                        "--snapshots",
                        "--rows=cut-64g,clones,diff",
                        "--disks=4",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=64",
                        "--output=json");

        assertThat(exitCode).as(err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("scenarios")).hasSize(3);
        for (JsonNode scenario : report.get("scenarios")) {
            assertThat(scenario.get("medians").isEmpty()).as(scenario.toString()).isFalse();
        }
        JsonNode clones = report.at("/scenarios/1/medians");
        assertThat(clones.at("/errors of the busy ones/quoin").asDouble(-1)).isZero();
        assertThat(report.at("/scenarios/2/medians/MiB that differ/quoin").asDouble())
                .isEqualTo(64);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @Tag("e2e")
    void shouldMeasureTheGuestBesideEachFloodWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_NBD, Peer.QEMU_IMG);

        int exitCode =
                run(
                        "--flood",
                        "--servers=quoin,qemu-nbd",
                        "--rows=block-status,options,connections,writes",
                        "--clients=2",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=64",
                        "--output=json");

        assertThat(exitCode).as(err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("runs")).hasSize(4 * 2);
        for (JsonNode run : report.get("runs")) {
            assertThat(run.at("/alone/iops").asDouble()).as(run.toString()).isPositive();
            assertThat(run.get("floodPerSecond").asDouble()).as(run.toString()).isPositive();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldShowWhatManyKeepOfOneWhenThereAreSeveralRounds() throws Exception {
        List<ManyRun> runs = new ArrayList<>();
        double[] many = {50, 70, 60};
        for (int round = 1; round <= 3; round++) {
            runs.add(manyRun("2 at once", round, many[round - 1], round, round != 2));
            runs.add(manyRun(ManyComparison.ONE, round, 120, 0, true));
        }

        ManyReport report = new ManyReport(List.of(ManyScenario.disks), runs);

        ManyReport.Figures figures = report.figures(ManyScenario.disks, "2 at once");
        assertThat(figures.ratio()).isCloseTo(0.5, within(1e-9));
        assertThat(figures.errors()).isEqualTo(6);
        assertThat(figures.isUp()).isFalse();
        assertThat(report.table())
                .contains(
                        "| disks | one | quoin | 120 | 1.00 | 1 | 2 | 0 | 3 | 1.0 | 2.0 | 7 | yes |")
                .contains(
                        "| disks | 2 at once | quoin | 60 | 0.50 | 1 | 2 | 6 | 3 | 1.0 | 2.0 | 7 | no |");
        assertThat(report.json()).contains("\"2 at once\"");
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
    void shouldCountErrorsWhenFioGoesOnAfterThem() throws Exception {
        String part = "{\"iops\": 2, \"clat_ns\": {\"percentile\": {\"50.000000\": 5000}}}";
        String report =
                "note\n{\"jobs\": [{\"error\": 5, \"total_err\": 3, \"read\": P, \"write\": P}]}";

        FioLoad.Result result = FioLoad.parse(report.replace("P", part));

        assertThat(result).isEqualTo(new FioLoad.Result(4, 5, 0, 3));
        assertThatThrownBy(() -> FioLoad.parse("no exports")).isInstanceOf(IOException.class);
    }

    @Test
    void shouldReadTheMemoryOfTheTablesWhenQuoinTellsItsStatus() throws Exception {
        String status =
                "{\"memory\": {\"uses\": [{\"name\": \"cache\", \"usedBytes\": 4},"
                        + " {\"name\": \"tables\", \"usedBytes\": 9}]},"
                        + " \"statistics\": {\"values\": {\"files-open\": 1}, \"subvolumes\": ["
                        + " {\"values\": {\"files-open\": 3}, \"subvolumes\": []}]}}";

        assertThat(QuoinStatus.parse(new ObjectMapper().readTree(status)))
                .isEqualTo(new QuoinStatus(9, 4, 3));
    }

    @Test
    void shouldReadTheTotalsOfAFlood() throws Exception {
        assertThat(FloodComparison.totals("flooding\ndone=12 lost=3\n").group(2)).isEqualTo("3");
        assertThatThrownBy(() -> FloodComparison.totals("flooding\n"))
                .isInstanceOf(IOException.class);
    }

    @Test
    void shouldKnowTheRowsOfEachMode() {
        assertThat(run("--flood", "--list")).isZero();
        assertThat(out.toString()).contains("block-status").doesNotContain("overlays");
        assertThat(run("--many", "--rows=reads")).isEqualTo(2);
        assertThat(err.toString()).contains("no such row: reads");
        assertThat(run("--many", "--flood")).isEqualTo(2);
        assertThat(run("--flood", "--servers=nbdkit")).isEqualTo(2);
        assertThat(err.toString()).contains("no such server: nbdkit");
    }

    private int run(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(arguments));
        argv.add("--folder=" + folder);
        return new CommandLine(new Compare())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(argv.toArray(String[]::new));
    }

    private static ManyRun manyRun(String load, int round, double iops, long errors, boolean isUp) {
        return new ManyRun(
                "disks",
                load,
                "quoin",
                round,
                new FioLoad.Result(iops, 1, 2, errors),
                3 << 20,
                new QuoinStatus(1 << 20, 2 << 20, 7),
                isUp);
    }
}
