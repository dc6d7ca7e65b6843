package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A long BLOCK_STATUS lets what else is on its loop go on between its parts. */
@Timeout(60)
final class StatusTurnsTest {
    private static final int CLUSTER = 4096;

    /** What one table of such clusters maps. */
    private static final long TABLE_BYTES = CLUSTER / 8 * (long) CLUSTER;

    private static final int TABLES = 8;

    @TempDir private Path folder;

    @Test
    void shouldGiveWayBetweenTablesWhenStatusIsLong() {
        ImageFixture fixture = new ImageFixture(folder);
        fixture.create("a.qcow2", TABLES * TABLE_BYTES, Map.of("cluster_size", "4096"));
        XlatorFile file = fixture.open("a.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = fixture.driver(file);
        for (long at = 0; at < TABLES * TABLE_BYTES; at += 2 * CLUSTER) {
            driver.write(at, new byte[] {1});
        }
        fixture.close(file);
        file = fixture.open("a.qcow2", OpenMode.READ_WRITE);
        driver = fixture.driver(file);

        int turns = 0;
        ExtentList extents = new ExtentList(1 << 16);
        IoRequest request =
                new IoRequest()
                        .prepare(IoOp.BLOCK_STATUS, 0, TABLES * TABLE_BYTES, IoFlags.NONE)
                        .extents(extents);
        FileDriver.Pending pending = driver.submit(request);
        while (!pending.isDone()) {
            // What comes meanwhile has its turn after one part at most.
            int before = extents.count();
            AtomicInteger done = new AtomicInteger();
            fixture.loops.loop(0).execute(done::incrementAndGet);
            fixture.loops.runUntil(() -> done.get() == 1);
            assertThat(extents.count() - before).isLessThanOrEqualTo(2048);
            turns++;
        }
        assertThat(pending.error()).isEqualTo(BlockError.OK);
        assertThat(turns).isGreaterThanOrEqualTo(TABLES / 2);
        assertThat(extents.count()).isEqualTo((int) (TABLES * TABLE_BYTES / CLUSTER));
        for (int i = 0; i < extents.count(); i++) {
            assertThat(extents.extentLengthBytes(i)).isEqualTo(CLUSTER);
        }
        fixture.close(file);
    }
}
