package io.quoin.replicate.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.replicate.Outcome;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Copies that hang, fail, and are given up. */
class ReplicatedFileTest {
    private static final long REGION_BYTES = 4096;
    private static final int FILE_BYTES = 1 << 20;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final VirtualLoop loop = loops.loop(0);
    private final List<FileEvent> events = new ArrayList<>();
    private MemoryCopies copies;
    private ReplicatedFile file;
    private FileDriver driver;

    @BeforeEach
    void setUp() {
        MemoryXlator brick = new MemoryXlator("brick");
        loops.await(brick.create("a", CreateOptions.ofSize(FILE_BYTES)));
        XlatorFile below = loops.await(brick.open("a", OpenOptions.READ_WRITE, loop));
        copies = new MemoryCopies(below, REGION_BYTES);
        OpenOptions options = OpenOptions.READ_WRITE.listener(events::add);
        file = new ReplicatedFile("volume", "a", options, REGION_BYTES, copies, loop);
        driver = new FileDriver(file, loop);
    }

    @AfterEach
    void tearDown() {
        loops.close();
    }

    private static byte[] pattern(int lengthBytes) {
        byte[] data = new byte[lengthBytes];
        new Random(1).nextBytes(data);
        return data;
    }

    @Test
    void shouldEndOnceWithTheLastOfItsParts() {
        copies.hang();
        byte[] data = pattern(3 * (int) REGION_BYTES);
        Pending write = driver.startWrite(100, data, IoFlags.FUA);
        assertThat(copies.heldCount()).isEqualTo(4);
        assertThat(write.isDone()).isFalse();
        loop.run(copies::letGo);
        assertThat(driver.await(write)).isEqualTo(BlockError.OK);
        assertThat(driver.read(100, data.length)).isEqualTo(data);
    }

    @Test
    void shouldBeginSomePartsAtATimeWhenTheRangeIsLong() {
        copies.hang();
        Pending zeroes = driver.start(IoOp.WRITE_ZEROES, 0, FILE_BYTES, IoFlags.NONE);
        assertThat(copies.heldCount()).isEqualTo(65);
        loop.run(copies::letGo);
        assertThat(driver.await(zeroes)).isEqualTo(BlockError.OK);
    }

    @Test
    void shouldEndInTheErrorThatAnOutcomeIs() {
        copies.endIn(Outcome.NO_SPACE);
        assertThat(driver.write(0, pattern(8192), IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
        copies.endIn(Outcome.FAILED);
        assertThat(driver.await(driver.startRead(0, 8192))).isEqualTo(BlockError.EIO);
        copies.endIn(Outcome.FENCED);
        assertThat(driver.write(0, pattern(512), IoFlags.NONE)).isEqualTo(BlockError.EBADE);
        assertThat(driver.flush()).isEqualTo(BlockError.EBADE);
        loops.runReady();
        assertThat(events)
                .extracting(FileEvent::kind)
                .containsExactly(FileEvent.Kind.SPACE_LOW, FileEvent.Kind.FENCED);
    }

    @Test
    void shouldEndEverythingOnceWhenGivenUp() {
        copies.hang();
        Pending write = driver.startWrite(0, pattern(8192), IoFlags.NONE);
        Pending read = driver.startRead(0, 8192);
        Pending flush = driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
        CompletableFuture<Void> resized =
                loop.call(() -> file.resize(2 * FILE_BYTES).toCompletableFuture());
        loop.run(() -> file.abort(BlockError.ETIMEDOUT));
        for (Pending each : List.of(write, read, flush)) {
            assertThat(driver.await(each)).isEqualTo(BlockError.ETIMEDOUT);
        }
        assertThat(resized).isCompletedExceptionally();
        byte[] before = read.data();
        assertThat(driver.flush()).isEqualTo(BlockError.ETIMEDOUT);
        CompletableFuture<Void> closed = loop.call(() -> file.close().toCompletableFuture());
        loops.runUntil(closed::isDone);
        loop.run(copies::letGo);
        loops.runReady();
        assertThat(read.data()).as("memory is not touched any more").isEqualTo(before);
    }
}
