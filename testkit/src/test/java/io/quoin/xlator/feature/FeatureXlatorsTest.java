package io.quoin.xlator.feature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.GraphBed;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.graph.Graph;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class FeatureXlatorsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private Graph graph;

    private FileDriver open(String type, String options) {
        graph =
                GraphBed.build(
                        loops,
                        "volume top\n type "
                                + type
                                + "\n "
                                + options
                                + "\n subvolumes brick\nend-volume\n");
        loops.await(graph.node("brick").create("a", CreateOptions.ofSize(64 << 20)));
        return new FileDriver(
                loops.await(graph.top().open("a", OpenOptions.READ_WRITE, loops.loop(0))),
                loops.loop(0));
    }

    private List<Pending> startWrites(FileDriver driver, int count, int lengthBytes) {
        List<Pending> pendings = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pendings.add(driver.startWrite(0, new byte[lengthBytes], IoFlags.NONE));
        }
        return pendings;
    }

    private static long done(List<Pending> pendings) {
        return pendings.stream().filter(Pending::isDone).count();
    }

    @Test
    void shouldRefuseChangesWhenReadOnly() {
        FileDriver driver = open("features/read-only", "");
        assertThat(driver.device().capabilities().canWrite()).isFalse();
        assertThat(driver.write(0, new byte[512], IoFlags.NONE)).isEqualTo(BlockError.EPERM);
        assertThat(driver.read(0, 512)).isEqualTo(new byte[512]);
        assertRefused(() -> loops.await(graph.top().create("b", CreateOptions.ofSize(1))));
        assertRefused(() -> loops.await(graph.top().rename("a", "b")));
        assertRefused(() -> loops.await(graph.top().remove("a")));
    }

    private static void assertRefused(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EROFS));
    }

    @Test
    void shouldLetTheBurstThroughAndThenTheRateWhenRequestsAreLimited() {
        FileDriver driver =
                open("features/throttle", "option iops-total 100 option iops-total-burst 20");
        List<Pending> writes = startWrites(driver, 1020, 512);
        assertThat(done(writes)).isEqualTo(20);
        loops.advance(SECOND);
        assertThat(done(writes)).isEqualTo(120);
        loops.advance(9 * SECOND);
        assertThat(done(writes)).isEqualTo(1020);
        loops.advance(SECOND);
        assertThat(done(startWrites(driver, 100, 512))).isEqualTo(20);
    }

    @ParameterizedTest
    @CsvSource({
        "bps-write 1M, 1048576, 11, 1048576",
        "bps-total 10M, 1048576, 20, 10485760",
        "bps-total 1M, 4194304, 6, 1048576"
    })
    void shouldKeepToTheRateWhenBytesAreLimited(
            String option, int lengthBytes, int count, long bytesPerSecond) {
        FileDriver driver = open("features/throttle", "option " + option);
        List<Pending> writes = startWrites(driver, count, lengthBytes);
        loops.runUntilIdle();
        assertThat(done(writes)).isEqualTo(count);
        double seconds = (double) loops.nanoTime() / SECOND;
        // the first goes at once, a tenth of a second's worth is saved up
        double expected = (double) (count - 1) * lengthBytes / bytesPerSecond;
        assertThat(seconds).isBetween(expected - 0.11, expected + 0.001);
    }

    @Test
    void shouldNotHoldReadsBackWhenOnlyWritesAreLimited() {
        FileDriver driver = open("features/throttle", "option iops-write 10");
        List<Pending> writes = startWrites(driver, 10, 512);
        assertThat(done(writes)).isEqualTo(1);
        for (int i = 0; i < 100; i++) {
            assertThat(driver.startRead(0, 512).isDone()).isTrue();
        }
        loops.runUntilIdle();
        assertThat(done(writes)).isEqualTo(10);
    }

    @Test
    void shouldKeepTheOrderWhenReadsAndWritesShareALimit() {
        FileDriver driver = open("features/throttle", "option iops-total 10");
        List<Pending> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(
                    i % 2 == 0
                            ? driver.startWrite(0, new byte[512], IoFlags.NONE)
                            : driver.startRead(0, 512));
        }
        for (int i = 0; i < 20; i++) {
            assertThat(done(all)).isEqualTo(i + 1);
            assertThat(all.get(i).isDone()).isTrue();
            loops.advance(SECOND / 10);
        }
    }

    @Test
    void shouldPassFlushesAtOnceWhenWritesWait() {
        FileDriver driver = open("features/throttle", "option iops-total 1");
        List<Pending> writes = startWrites(driver, 3, 512);
        assertThat(driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE).error()).isEqualTo(BlockError.OK);
        assertThat(done(writes)).isEqualTo(1);
        loops.runUntilIdle();
        assertThat(done(writes)).isEqualTo(3);
    }

    @Test
    void shouldRefuseWhenTheQueueIsFull() {
        FileDriver driver = open("features/throttle", "option iops-total 1 option queue-max 2");
        List<Pending> writes = startWrites(driver, 4, 512);
        assertThat(writes.get(0).error()).isEqualTo(BlockError.OK);
        assertThat(writes.get(3).error()).isEqualTo(BlockError.ENOMEM);
        loops.runUntilIdle();
        assertThat(writes.get(2).error()).isEqualTo(BlockError.OK);
    }

    @Test
    void shouldTakeNewLimitsWhenReconfigured() {
        FileDriver driver = open("features/throttle", "option iops-total 1");
        List<Pending> writes = startWrites(driver, 1001, 512);
        loops.advance(SECOND);
        assertThat(done(writes)).isEqualTo(2);
        graph.reconfigure("top", "iops-total", "0");
        loops.runReady();
        assertThat(done(writes)).isEqualTo(1001);
        assertThat(graph.statistics().values()).containsEntry("delayed", 1000L);
        assertThat(done(startWrites(driver, 100, 512))).isEqualTo(100);
        assertThatThrownBy(() -> graph.reconfigure("top", "queue-max", "0"))
                .isInstanceOf(BlockException.class);
    }
}
