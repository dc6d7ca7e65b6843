package io.quoin.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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

@Timeout(300)
class ManyTest {
    @TempDir Path folder;

    private final CompareRun compare = new CompareRun();

    @Test
    @Tag("e2e")
    void shouldMeasureManyDisksWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_NBD, Peer.QEMU_IMG);

        int exitCode =
                compare.run(
                        folder,
                        "--many",
                        "--disks=4",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=4096",
                        "--output=json");

        assertThat(exitCode).as(compare.err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(compare.out.toString());
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
    void shouldKnowTheRowsOfEachMode() {
        assertThat(compare.run(folder, "--flood", "--list")).isZero();
        assertThat(compare.out.toString()).contains("block-status").doesNotContain("overlays");
        assertThat(compare.run(folder, "--many", "--rows=reads")).isEqualTo(2);
        assertThat(compare.err.toString()).contains("no such row: reads");
        assertThat(compare.run(folder, "--many", "--flood")).isEqualTo(2);
        assertThat(compare.run(folder, "--flood", "--servers=nbdkit")).isEqualTo(2);
        assertThat(compare.err.toString()).contains("no such server: nbdkit");
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
