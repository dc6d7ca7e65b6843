package io.quoin.xlator.debug;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.GraphBed;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import io.quoin.xlator.graph.Graph;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DebugXlatorsTest {
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private Graph graph;

    private FileDriver open(String type, String options) {
        return open("", type, options);
    }

    private FileDriver open(String below, String type, String options) {
        graph =
                GraphBed.build(
                        loops,
                        below
                                + "volume top\n type "
                                + type
                                + "\n "
                                + options
                                + "\n subvolumes "
                                + (below.isEmpty() ? "brick" : "middle")
                                + "\nend-volume\n");
        loops.await(graph.node("brick").create("a", CreateOptions.ofSize(1 << 20)));
        return new FileDriver(
                loops.await(graph.top().open("a", OpenOptions.READ_WRITE, loops.loop(0))),
                loops.loop(0));
    }

    private static final String SLOW =
            """
            volume middle
                type debug/delay-gen
                option delay-percentage 100
                option delay-duration 3ms
                option enable read,write
                subvolumes brick
            end-volume
            """;

    private static final String FAILING =
            """
            volume middle
                type debug/error-gen
                option failure 100%
                option enable write
                option error-no ENOSPC
                subvolumes brick
            end-volume
            """;

    private IoStatistics snapshot() {
        return ((IoStats) ((BoundaryXlator) graph.top()).below()).snapshot();
    }

    @Test
    void shouldCountAndTimeWhenRequestsEnd() {
        FileDriver driver = open(SLOW, "debug/io-stats", "");
        driver.write(0, new byte[4096]);
        driver.write(0, new byte[1024]);
        driver.read(0, 512);
        driver.flush();
        Map<String, OpStatistics> file = snapshot().files().get("a");
        assertThat(file.keySet()).containsExactlyInAnyOrder("write", "read", "flush");
        OpStatistics write = file.get("write");
        assertThat(write.count()).isEqualTo(2);
        assertThat(write.bytes()).isEqualTo(5120);
        assertThat(write.errors()).isZero();
        assertThat(write.latency().count()).isEqualTo(2);
        assertThat(write.latency().p50Micros()).isBetween(2950.0, 3050.0);
        assertThat(write.latency().maxMicros()).isBetween(2950.0, 3050.0);
        assertThat(file.get("flush").latency().maxMicros()).isLessThan(1);
    }

    @Test
    void shouldCountErrorsWithoutTheirBytes() {
        FileDriver driver = open(FAILING, "debug/io-stats", "");
        assertThat(driver.write(0, new byte[512], IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
        OpStatistics write = snapshot().total().get("write");
        assertThat(write.count()).isEqualTo(1);
        assertThat(write.errors()).isEqualTo(1);
        assertThat(write.bytes()).isZero();
    }

    @Test
    void shouldKeepTheTotalWhenFilesAreClosed() {
        FileDriver driver = open("debug/io-stats", "");
        driver.write(0, new byte[512]);
        snapshot();
        driver.write(0, new byte[512]);
        loops.await(loops.loop(0).call(() -> ((XlatorFile) driver.device()).close()));
        IoStatistics statistics = snapshot();
        assertThat(statistics.files()).isEmpty();
        assertThat(statistics.total().get("write").count()).isEqualTo(2);
        assertThat(statistics.total().get("write").latency().count()).isEqualTo(2);
        assertThat(snapshot()).isEqualTo(statistics);
    }

    @Test
    void shouldNotMeasureLatencyWhenToldNotTo() {
        FileDriver driver = open("debug/io-stats", "option latency-measurement off");
        driver.write(0, new byte[512]);
        assertThat(snapshot().total().get("write").latency()).isNull();
        graph.reconfigure("top", "latency-measurement", "on");
        driver.write(0, new byte[512]);
        assertThat(snapshot().total().get("write").latency().count()).isEqualTo(1);
        assertThat(graph.statistics().values().toString()).contains("p99-us");
    }

    @Test
    void shouldLetOtherThreadsReadWhileItCounts() throws Exception {
        FileDriver driver = open("debug/io-stats", "");
        int count = 20_000;
        Thread reader =
                new Thread(
                        () -> {
                            while (snapshot().total().isEmpty()
                                    || snapshot().total().get("write").count() < count) {
                                Thread.onSpinWait();
                            }
                        });
        reader.start();
        for (int i = 0; i < count; i++) {
            driver.write(0, new byte[1]);
        }
        reader.join(TimeUnit.SECONDS.toMillis(30));
        assertThat(reader.isAlive()).isFalse();
        assertThat(snapshot().total().get("write").latency().count()).isEqualTo(count);
    }

    @Test
    void shouldKeepTheLastOperationsWhenTraced() {
        FileDriver driver = open("debug/trace", "option log-file off option history-size 3");
        driver.write(0, new byte[512]);
        driver.write(512, new byte[512], IoFlags.FUA);
        driver.read(0, 1024);
        assertThat(driver.zero(0, 4096, IoFlags.MAY_UNMAP)).isEqualTo(BlockError.OK);
        assertThat(history())
                .extracting(
                        TraceEntry::number,
                        TraceEntry::operation,
                        TraceEntry::fileName,
                        TraceEntry::lengthBytes,
                        TraceEntry::flags)
                .containsExactly(
                        tuple(2, "write", 512, "FUA"),
                        tuple(3, "read", 1024, "-"),
                        tuple(4, "write-zeroes", 4096, "MAY_UNMAP"));
    }

    private static Tuple tuple(long number, String operation, long lengthBytes, String flags) {
        return Tuple.tuple(number, operation, "a", lengthBytes, flags);
    }

    private List<TraceEntry> history() {
        return ((Trace) ((BoundaryXlator) graph.top()).below()).history();
    }

    @Test
    void shouldTraceOnlyWhatIsIncluded() {
        FileDriver driver =
                open(
                        "debug/trace",
                        "option log-file off option include-ops read,write,stat"
                                + " option exclude-ops write");
        driver.write(0, new byte[512]);
        driver.read(0, 512);
        assertThatThrownBy(() -> loops.await(graph.top().stat("missing")))
                .isInstanceOf(BlockException.class);
        assertThat(history())
                .extracting(TraceEntry::operation, TraceEntry::error)
                .containsExactly(
                        Tuple.tuple("read", BlockError.OK), Tuple.tuple("stat", BlockError.ENOENT));
    }

    @Test
    void shouldDelayOnlyWhatIsEnabled() {
        FileDriver driver =
                open(
                        "debug/delay-gen",
                        "option delay-percentage 100 option delay-duration 20ms"
                                + " option enable write");
        long start = loops.nanoTime();
        driver.read(0, 512);
        assertThat(loops.nanoTime()).isEqualTo(start);
        driver.write(0, new byte[512]);
        assertThat(loops.nanoTime() - start).isEqualTo(TimeUnit.MILLISECONDS.toNanos(20));
    }

    @Test
    void shouldDelayItsShareWhenThereIsAPercentage() {
        FileDriver driver =
                open(
                        "debug/delay-gen",
                        "option delay-percentage 25% option delay-duration 1ms option seed 5"
                                + " option enable write");
        for (int i = 0; i < 1000; i++) {
            driver.write(0, new byte[512]);
        }
        long delayed = loops.nanoTime() / TimeUnit.MILLISECONDS.toNanos(1);
        assertThat(delayed).isBetween(200L, 300L);
        assertThat(graph.statistics().values()).containsEntry("delayed", delayed);
    }

    @Test
    void shouldFailWithinItsCountsWhenSeeded() {
        FileDriver driver =
                open(
                        "debug/error-gen",
                        "option failure 100 option error-no EIO option enable writev"
                                + " option skip-count 2 option failure-count 3");
        StringBuilder outcomes = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            outcomes.append(driver.write(0, new byte[512], IoFlags.NONE)).append(' ');
        }
        assertThat(outcomes).hasToString("OK OK EIO EIO EIO OK OK OK ");
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        graph.reconfigure("top", "failure-count", "0");
        graph.reconfigure("top", "skip-count", "0");
        assertThat(driver.write(0, new byte[512], IoFlags.NONE)).isEqualTo(BlockError.EIO);
    }

    @Test
    void shouldNotTouchTheDataWhenAWriteIsMadeToFail() {
        FileDriver driver = open("debug/error-gen", "option failure 100 option enable write");
        Pending pending = driver.startWrite(0, new byte[] {1, 2, 3}, IoFlags.NONE);
        assertThat(pending.error()).isEqualTo(BlockError.EIO);
        assertThat(driver.read(0, 3)).containsExactly(0, 0, 0);
    }

    @Test
    void shouldFailTheNamespaceWhenEnabled() {
        open(
                "debug/error-gen",
                "option failure 100 option enable remove,close option error-no ENOSPC");
        assertThatThrownBy(() -> loops.await(graph.top().remove("b")))
                .hasMessage("made to fail: node=top, operation=remove, name=b");
        assertThat(loops.await(graph.top().list())).hasSize(1);
    }

    @Test
    void shouldHaveClosedTheFileWhenItsCloseIsMadeToFail() {
        FileDriver driver = open("debug/error-gen", "option failure 100 option enable close");
        XlatorFile file = (XlatorFile) driver.device();
        assertThatThrownBy(() -> loops.await(loops.loop(0).call(file::close)))
                .isInstanceOf(BlockException.class);
        loops.await(graph.node("brick").remove("a"));
    }
}
