package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
@LogsErrors("file takes no more writes until it is opened again")
class FlushGroupTest {
    private static final byte[] DATA = PosixFileTest.bytes(4096);

    /** Too long to be synced by itself. */
    private static final byte[] LONG = PosixFileTest.bytes(128 << 10);

    @TempDir Path folder;

    private final AtomicInteger calls = new AtomicInteger();
    private final Semaphore started = new Semaphore(0);
    private final Semaphore allowed = new Semaphore(0);
    private final AtomicInteger result = new AtomicInteger();

    /** An fdatasync that waits until the test lets it end. */
    private int gated(int fd) {
        calls.incrementAndGet();
        started.release();
        allowed.acquireUninterruptibly();
        return result.get() == 0 ? SystemCalls.fdatasync(fd) : result.get();
    }

    @Test
    void shouldShareOneCallWhenFlushesArriveWhileOneRuns() throws InterruptedException {
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(0, DATA);
            Pending first = driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
            started.acquire();
            Pending same = driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
            driver.write(4096, DATA);
            List<Pending> later =
                    IntStream.range(0, 10)
                            .mapToObj(i -> driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE))
                            .toList();
            Pending fua = driver.startWrite(8192, DATA, IoFlags.FUA);
            allowed.release();
            assertThat(driver.await(first)).isEqualTo(BlockError.OK);
            assertThat(same.isDone()).isTrue();
            started.acquire();
            assertThat(later).noneMatch(Pending::isDone);
            assertThat(fua.isDone()).isFalse();
            allowed.release();
            assertThat(later).allSatisfy(p -> assertThat(driver.await(p)).isEqualTo(BlockError.OK));
            assertThat(driver.await(fua)).isEqualTo(BlockError.OK);
            assertThat(calls).hasValue(2);
            assertThat(file.details())
                    .containsEntry("flushes", 13L)
                    .containsEntry("fdatasync-calls", 2L);
            brick.close(file);
            assertThat(calls).hasValue(2);
        }
    }

    @Test
    void shouldSyncShortWritesByThemselvesAndNothingElseWithThem() {
        allowed.release(1000);
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(0, LONG);
            assertThat(driver.write(8192, DATA, IoFlags.FUA)).isEqualTo(BlockError.OK);
            assertThat(driver.write(2 << 20, DATA, IoFlags.FUA)).isEqualTo(BlockError.OK);
            assertThat(file.geometry().sizeBytes()).isEqualTo((2 << 20) + DATA.length);
            long alone = (long) file.details().get("range-syncs");
            assertThat(calls.get() + alone).isEqualTo(2);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(calls.get()).isPositive();
            assertThat(driver.read(8192, DATA.length)).isEqualTo(DATA);
            brick.close(file);
        }
    }

    @Test
    void shouldNotCallWhenNothingWasWritten() {
        allowed.release(1000);
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(calls).hasValue(0);
            driver.zero(0, 4096, IoFlags.NONE);
            driver.flush();
            driver.flush();
            assertThat(calls).hasValue(1);
            driver.discard(0, 4096);
            brick.close(file);
            assertThat(calls).hasValue(2);
        }
    }

    @Test
    void shouldFailForGoodWhenFdatasyncFails() {
        allowed.release(1000);
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(0, DATA);
            result.set(-5);
            assertThat(driver.flush()).isEqualTo(BlockError.EIO);
            result.set(0);
            assertThat(driver.flush()).isEqualTo(BlockError.EIO);
            assertThat(driver.write(0, DATA, IoFlags.NONE)).isEqualTo(BlockError.EIO);
            assertThat(driver.write(0, DATA, IoFlags.FUA)).isEqualTo(BlockError.EIO);
            assertThat(driver.zero(0, 10, IoFlags.NONE)).isEqualTo(BlockError.EIO);
            assertThat(driver.discard(0, 10)).isEqualTo(BlockError.EIO);
            assertThatThrownBy(() -> brick.resize(file, 10)).isInstanceOf(BlockException.class);
            assertThat(driver.read(0, DATA.length)).isEqualTo(DATA);
            assertThat(file.details()).containsEntry("failed", true);
            assertThatThrownBy(() -> brick.close(file))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("may be lost")
                    .hasMessageContaining("disk.raw")
                    .hasMessageContaining("EIO");
            XlatorFile again = brick.openFile("disk.raw");
            assertThat(brick.drive(again).write(0, DATA, IoFlags.FUA)).isEqualTo(BlockError.OK);
            brick.close(again);
        }
    }

    @Test
    void shouldFailWritesInFlightWhenFdatasyncFailsBeforeTheyAreDurable()
            throws InterruptedException {
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            Pending first = driver.startWrite(0, LONG, IoFlags.FUA);
            started.acquire();
            Pending second = driver.startWrite(4096, LONG, IoFlags.FUA);
            result.set(-28);
            allowed.release(1000);
            assertThat(driver.await(first)).isEqualTo(BlockError.EIO);
            assertThat(driver.await(second)).isEqualTo(BlockError.EIO);
            assertThat(calls).hasValue(1);
            assertThatThrownBy(() -> brick.close(file)).hasMessageContaining("ENOSPC");
        }
    }

    @Test
    void shouldFlushWhenClosedAndReportWhatFails() {
        allowed.release(1000);
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"), this::gated)) {
            brick.create("disk.raw", 1 << 20);
            XlatorFile file = brick.openFile("disk.raw");
            brick.drive(file).write(0, DATA);
            result.set(-5);
            assertThatThrownBy(() -> brick.close(file)).hasMessageContaining("may be lost");
            result.set(0);
            brick.close(brick.openFile("disk.raw"));
        }
    }
}
