package io.quoin.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.DiskMode;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RandomIoTest {
    private static final int BLOCK = 4096;

    private @TempDir Path folder;

    @Test
    void shouldReadAndWriteEveryRequestWhenTheDiskIsNew() {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            RandomIo.main(new String[] {folder.toString(), "example", "2000", "8", "50"});
        } finally {
            System.setOut(before);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8))
                .startsWith("2000 requests, ")
                .containsPattern("read +\\d+ +\\d+\\.\\d")
                .containsPattern("write +\\d+ +\\d+\\.\\d");
        try (Volume volume = Volumes.open(folder);
                Disk disk = volume.open("example", DiskMode.READ_ONLY)) {
            assertThat(disk.sizeBytes()).isEqualTo(64L << 20);
            assertThat(blocksWritten(disk)).isBetween(800, 1200);
        }
    }

    private static int blocksWritten(Disk disk) {
        int written = 0;
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        for (long offset = BLOCK; offset < disk.sizeBytes(); offset += BLOCK) {
            disk.read(offset, block);
            long stored = block.getLong(0);
            assertThat(stored).isIn(0L, offset);
            written += stored == 0 ? 0 : 1;
        }
        return written;
    }

    @Test
    void shouldCountEachRequestWhenTheClockIsKnown() {
        try (Volume volume = Volumes.open(folder)) {
            volume.create("small", 1 << 20);
            try (Disk disk = volume.open("small")) {
                AtomicLong ticks = new AtomicLong();
                RandomIo.Result result =
                        new RandomIo(
                                        disk,
                                        new RandomIo.Load(103, 1, 100, 7),
                                        () -> ticks.addAndGet(TimeUnit.MICROSECONDS.toNanos(1)))
                                .run();
                assertThat(result.readNanos().getTotalCount()).isEqualTo(103);
                assertThat(result.writeNanos().getTotalCount()).isZero();
                assertThat(result.readNanos().getMaxValue() / 1000).isEqualTo(1);
                assertThat(result.elapsedNanos()).isEqualTo((103 * 2 + 1) * 1000L);
            }
        }
    }

    @Test
    void shouldFailWhenTheDiskRefuses() {
        try (Volume volume = Volumes.open(folder)) {
            volume.create("small", 1 << 20);
            try (Disk disk = volume.open("small", DiskMode.READ_ONLY)) {
                RandomIo writes =
                        new RandomIo(disk, new RandomIo.Load(10, 2, 0, 7), System::nanoTime);
                assertThatThrownBy(writes::run)
                        .isInstanceOfSatisfying(
                                BlockException.class,
                                e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
            }
        }
    }
}
