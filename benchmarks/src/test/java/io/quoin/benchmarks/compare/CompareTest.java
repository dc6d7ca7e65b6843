package io.quoin.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class CompareTest {
    private static final Row ROW = Row.ALL.get(0);

    @TempDir Path folder;

    private final CompareRun compare = new CompareRun();

    @Test
    @Tag("e2e")
    void shouldMeasureEveryServerInEachRowWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_NBD, Peer.QEMU_IMG, Peer.NBDKIT);

        String rows = "randrw-qd32,fsync,randwrite-4conn,seqread,seqwrite-alloc";

        int exitCode =
                compare.run(
                        folder,
                        "--rows=" + rows,
                        "--rounds=1",
                        "--seconds=1",
                        "--size=32",
                        "--output=json");

        assertThat(exitCode).as(compare.err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(compare.out.toString());
        assertThat(report.get("measurements")).hasSize(3 * 5);
        for (JsonNode row : report.get("rows")) {
            for (JsonNode median : row.get("medians")) {
                assertThat(median.get("figure").asDouble()).as(row.toString()).isPositive();
            }
            assertThat(row.get("ratios").get("qemu-nbd").asDouble()).isPositive();
        }
        for (JsonNode resident : report.get("residentMebibytes")) {
            assertThat(resident.asDouble()).isPositive();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @Tag("e2e")
    void shouldCompareConversionsWhenRunShortly() throws Exception {
        Peer.QEMU_IMG.assumeAvailable();

        int exitCode =
                compare.run(
                        folder,
                        "--convert",
                        "--quoin-classpath=" + System.getProperty("java.class.path"),
                        "--rounds=1",
                        "--size=16",
                        "--threads=2",
                        "--output=json");

        assertThat(exitCode).as(compare.err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(compare.out.toString());
        assertThat(report.get("runs"))
                .hasSize(ConvertRow.ALL.size() * ConvertComparison.TOOLS.size());
        for (JsonNode run : report.get("runs")) {
            assertThat(run.get("seconds").asDouble()).as(run.toString()).isPositive();
            assertThat(run.get("residentBytes").asLong()).as(run.toString()).isNotNegative();
            assertThat(run.get("fileBytes").asLong()).as(run.toString()).isPositive();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldShowMediansAndRatiosOfConversions() {
        ConvertRow row = ConvertRow.ALL.get(0);
        List<ConvertRun> runs = new ArrayList<>();
        for (ConvertRow each : ConvertRow.ALL) {
            double[] seconds = {9, 1, 2};
            for (int round = 1; round <= 3; round++) {
                double ours = seconds[round - 1];
                runs.add(new ConvertRun(each.name(), "a", round, ours, 3, 5 << 20, 7 << 20));
                runs.add(new ConvertRun(each.name(), "b", round, 4 * ours, 1, 6 << 20, 8 << 20));
            }
        }

        ConvertReport report = new ConvertReport(List.of("a", "b"), runs);

        assertThat(report.ratio(row, "b")).isCloseTo(0.25, within(1e-9));
        assertThat(report.table())
                .contains("| conversion | a s | b s | of b |")
                .contains("| 2.00 | 8.00 | 0.25 | 3.00 / 1.00 | 5 / 6 | 7 / 8 |");
    }

    @Test
    void shouldShowMediansAndRatiosWhenThereAreSeveralRounds() {
        List<Measurement> measurements = new ArrayList<>();
        double[] ours = {400, 100, 300};
        double[] theirs = {150, 100, 1000};
        for (int round = 1; round <= 3; round++) {
            measurements.add(measurement("quoin", round, ours[round - 1], 5 << 20));
            measurements.add(measurement("qemu-nbd", round, theirs[round - 1], 3 << 20));
        }

        Report report = new Report(List.of(ROW), List.of("quoin", "qemu-nbd"), measurements);

        assertThat(report.ratio(ROW, "qemu-nbd")).isCloseTo(2.0, within(1e-9));
        assertThat(report.table())
                .contains("| quoin | qemu-nbd | x qemu-nbd |")
                .contains("| IOPS | 300 | 150 | 2.00 | 4.0 / 4.0 | 9 / 9 |")
                .contains("quoin 5 MiB, qemu-nbd 3 MiB");
    }

    @Test
    void shouldSumReadsAndWritesWhenFioReports() throws Exception {
        String part = "{\"iops\": 10.5, \"bw_bytes\": 43008, \"total_ios\": 21}";
        String report =
                "fio: connected to NBD server\n{\"jobs\": [{\"read\": P, \"write\": P, \"trim\": P}]}";

        Fio.Totals totals = Fio.totals(report.replace("P", part));

        assertThat(totals.iops()).isCloseTo(31.5, within(1e-9));
        assertThat(totals.requests()).isEqualTo(63);
        assertThat(totals.figure(Row.Unit.MEGABYTES)).isCloseTo(0.129024, within(1e-9));
    }

    @Test
    void shouldReadProcessorTimeWhenTheNameHasBracketsAndBlanks() {
        String stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 9 8 7 6 250 30 0 0 20 0 1 0 100 1 2";

        assertThat(ProcessUsage.cpuTicks(stat)).isEqualTo(280);
        assertThat(ProcessUsage.residentBytes("Name:\tx\nVmHWM:\t 9 kB\nVmRSS:\t  12 kB\n"))
                .isEqualTo(12 * 1024);
    }

    @Test
    void shouldSayWhichRowsThereAreWhenAskedForAnUnknownOne() {
        assertThat(compare.run(folder, "--rows=nonsense")).isEqualTo(2);
        assertThat(compare.err.toString()).contains("no such row: nonsense");
        assertThat(compare.run(folder, "--list")).isZero();
        assertThat(compare.out.toString().lines()).hasSameSizeAs(Row.ALL);
    }

    @Test
    void shouldRefuseWhenAServerIsUnknown() {
        assertThat(compare.run(folder, "--servers=quoin,other")).isEqualTo(2);
        assertThat(compare.err.toString()).contains("no such server: other");
    }

    private static Measurement measurement(
            String server, int round, double figure, long residentBytes) {
        return new Measurement(ROW.name(), server, round, figure, 9, 4, residentBytes);
    }
}
