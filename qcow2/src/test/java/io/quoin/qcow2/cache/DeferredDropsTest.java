package io.quoin.qcow2.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DeferredDropsTest {
    private static final int RUNS_MAX = DeferredDrops.runsMax;
    private static final long TABLE = 65536;
    private static final String DISK = "disk.qcow2";
    private static final int CLUSTER = 4096;
    private static final int TABLE_BYTES = 2 << 20;

    @TempDir Path folder;

    @AfterEach
    void restore() {
        DeferredDrops.runsMax = RUNS_MAX;
    }

    /** What voids a snapshot with ENOMEM: runs count, not clusters, and go with their entry. */
    @Test
    void shouldBeFullWhenThereAreMoreRunsThanMayBePutOff() {
        DeferredDrops drops = new DeferredDrops(new long[] {TABLE, 0, 2 * TABLE});
        assertThat(drops.defers(0)).isTrue();
        assertThat(drops.defers(1)).as("without a table").isFalse();
        drops.add(0, 7);
        for (int i = 0; i < RUNS_MAX - 1; i++) {
            drops.add(2, 1000 + 2L * i);
        }
        assertThat(drops.isFull()).isFalse();
        drops.add(2, 1000 + 2L * RUNS_MAX);
        assertThat(drops.isFull()).isTrue();
        ClusterRuns first = Objects.requireNonNull(drops.settled(0));
        assertThat(first.start(0)).isEqualTo(7);
        assertThat(drops.defers(0)).isFalse();
        assertThat(drops.isFull()).isFalse();
        assertThat(Objects.requireNonNull(drops.settled(2)).size()).isEqualTo(RUNS_MAX);
        assertThat(drops.settled(2)).isNull();
    }

    /** Rule 8 of docs/adr/0025. */
    @Test
    void shouldVoidTheSnapshotAndNothingElseWhenMoreIsPutOffThanMayBe() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        DeferredDrops.runsMax = 4;
        ImageFixture images = new ImageFixture(folder);
        images.create(DISK, 4L * TABLE_BYTES, Map.of("cluster_size", "" + CLUSTER));
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        for (int table = 0; table < 4; table++) {
            write(driver, table, 1);
        }
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        boolean[] told = {false};
        CompletableFuture<SnapshotInfo> creating =
                create(images, file, (done, total) -> told[0] = true);
        images.loops.runUntil(() -> told[0]);
        write(driver, 3, 2);
        assertThatThrownBy(() -> images.loops.await(creating))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOMEM));
        assertThat(SnapshotControl.of(file).orElseThrow().list()).isEmpty();
        images.loops.await(create(images, file, (done, total) -> true));
        images.close(file);
        images.checkClean(DISK);
        assertThat(images.qemuContent(DISK)[3 * TABLE_BYTES]).isEqualTo((byte) 2);
    }

    private static CompletableFuture<SnapshotInfo> create(
            ImageFixture images, XlatorFile file, SnapshotProgress progress) {
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        return images.loops
                .loop(0)
                .call(() -> control.create("one", progress))
                .toCompletableFuture();
    }

    /** Ten clusters of a table, none beside another. */
    private static void write(FileDriver driver, int table, int value) {
        byte[] data = new byte[CLUSTER];
        Arrays.fill(data, (byte) value);
        for (int i = 0; i < 10; i++) {
            long offset = (long) table * TABLE_BYTES + 2L * i * CLUSTER;
            assertThat(driver.await(driver.startWrite(offset, data, 0))).isEqualTo(BlockError.OK);
            // So that their host clusters are not neighbours either.
            long between = 3L * TABLE_BYTES + (1 << 20) + (table * 20L + i + value * 90L) * CLUSTER;
            assertThat(driver.await(driver.startWrite(between, data, 0))).isEqualTo(BlockError.OK);
        }
    }
}
