package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a guest's FUA write becomes: a durable write of the brick, or a flush of the image. */
class DurableWriteTest {
    private static final int CLUSTER = 65536;

    @TempDir Path folder;

    private final MemoryXlator brick = new MemoryXlator("brick");
    private final FaultyBrick seen = new FaultyBrick(brick);
    private final List<String> requests = new ArrayList<>();

    private FileDriver driver() {
        seen.failing = this::note;
        ImageFixture images = new ImageFixture(folder, brick, seen, Map.of());
        images.create("disk.qcow2", 16L * CLUSTER, Map.of());
        return images.driver(images.open("disk.qcow2", OpenMode.READ_WRITE));
    }

    private boolean note(String file, IoRequest request) {
        if (request.op() == IoOp.WRITE || request.op() == IoOp.FLUSH) {
            String length = request.op() == IoOp.WRITE ? " " + request.lengthBytes() : "";
            requests.add(request.op() + length + (request.has(IoFlags.FUA) ? " FUA" : ""));
        }
        return false;
    }

    private static void write(FileDriver driver, long offset, int length, int flags) {
        assertThat(driver.write(offset, new byte[length], flags)).isEqualTo(BlockError.OK);
    }

    @Test
    void shouldWriteDurablyAndFlushNothingWhenTheMappingIsOnDisk() {
        FileDriver driver = driver();
        write(driver, 0, CLUSTER, IoFlags.NONE);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        requests.clear();
        write(driver, 4096, 512, IoFlags.FUA);
        assertThat(requests).containsExactly("WRITE 512 FUA");
        assertThat(brick.isUnflushed("disk.qcow2")).isFalse();
    }

    @Test
    void shouldFlushWhenTheMappingIsNotOnDisk() {
        FileDriver driver = driver();
        write(driver, 0, CLUSTER, IoFlags.NONE);
        requests.clear();
        write(driver, 4096, 512, IoFlags.FUA);
        assertThat(requests).startsWith("WRITE 512").endsWith("FLUSH");
        assertThat(brick.isUnflushed("disk.qcow2")).isFalse();
    }

    @Test
    void shouldFlushWhenAPartHadToBeAllocated() {
        FileDriver driver = driver();
        write(driver, 0, CLUSTER, IoFlags.NONE);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        requests.clear();
        write(driver, CLUSTER - 4096, 8192, IoFlags.FUA);
        assertThat(requests).endsWith("FLUSH");
        assertThat(brick.isUnflushed("disk.qcow2")).isFalse();
    }

    /** Zeros that are there already may not be durable yet. */
    @Test
    void shouldFlushWhenZerosAreAskedForThatAreThereAlready() {
        FileDriver driver = driver();
        write(driver, 0, CLUSTER, IoFlags.NONE);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        IoRequest zeros = new IoRequest().prepare(IoOp.WRITE_ZEROES, 0, CLUSTER, IoFlags.MAY_UNMAP);
        assertThat(driver.perform(zeros)).isEqualTo(BlockError.OK);
        requests.clear();
        IoRequest again =
                new IoRequest()
                        .prepare(IoOp.WRITE_ZEROES, 0, CLUSTER, IoFlags.MAY_UNMAP | IoFlags.FUA);
        assertThat(driver.perform(again)).isEqualTo(BlockError.OK);
        assertThat(requests).endsWith("FLUSH");
    }
}
