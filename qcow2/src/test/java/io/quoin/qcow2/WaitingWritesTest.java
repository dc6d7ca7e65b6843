package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Writes that wait for memory of the image: each one ends, whatever became of those before it. */
@Timeout(60)
@LogsErrors("image refuses writes from now on: ")
class WaitingWritesTest {
    private static final String NAME = "disk.qcow2";
    private static final String BASE = "base.raw";

    @TempDir Path folder;
    private FaultyBrick brick;
    private ImageFixture images;

    @BeforeEach
    void start() {
        MemoryXlator memory = new MemoryXlator("brick");
        brick = new FaultyBrick(memory);
        images = new ImageFixture(folder, memory, brick, Map.of());
    }

    @Test
    void shouldEndEveryCopyingWriteWhenTheImageIsFencedMeanwhile() {
        int clusterSize = 2 << 20;
        XlatorFile file = openBacked(clusterSize, 24);
        FileDriver driver = images.driver(file);
        // Four of them have a buffer, the others wait for one.
        List<Pending> writes = startCopying(driver, clusterSize, 24);
        assertThat(brick.heldCount()).isEqualTo(4);
        fence(driver);
        brick.letGo();
        images.loops.runReady();
        assertThat(writes).allMatch(Pending::isDone);
        assertThat(writes.subList(4, 24))
                .allSatisfy(write -> assertThat(write.error()).isEqualTo(BlockError.EIO));
        assertThat(driver.read(0, 1)).containsExactly(0);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    void shouldNotRecurseWhenManyCopyingWritesWait() {
        int clusterSize = 4096;
        int count = 4000;
        XlatorFile file = openBacked(clusterSize, count);
        FileDriver driver = images.driver(file);
        List<Pending> writes = startCopying(driver, clusterSize, count);
        assertThat(brick.heldCount()).isEqualTo(64);
        brick.letGo();
        for (Pending write : writes) {
            assertThat(driver.await(write)).isEqualTo(BlockError.OK);
        }
        assertThat(driver.read((long) count * clusterSize, 2)).containsExactly(7, 0);
        images.close(file);
    }

    @Test
    void shouldEndEveryCompressedWriteWhenTheImageIsFencedMeanwhile() {
        int windowBytes = 4 << 20;
        int count = 20;
        images.create(NAME, (long) count * windowBytes, Map.of());
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[] {1});
        List<Pending> writes = new ArrayList<>();
        byte[] data = new byte[windowBytes];
        Arrays.fill(data, (byte) 5);
        // Eight windows are being compressed, the others wait for memory.
        for (int i = 0; i < count; i++) {
            writes.add(driver.startWrite((long) i * windowBytes, data, IoFlags.COMPRESSED));
        }
        fence(driver);
        images.loops.runReady();
        assertThat(writes).allMatch(Pending::isDone);
        assertThat(writes).allMatch(write -> write.error() == BlockError.EIO);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    void shouldNotRecurseWhenManyCompressedWritesWait() {
        int clusterSize = 4096;
        int count = 10_000;
        images.create(NAME, (long) count * clusterSize, Map.of("cluster_size", "" + clusterSize));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[] {1});
        List<Pending> writes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] data = new byte[clusterSize];
            data[0] = 5;
            writes.add(driver.startWrite((long) i * clusterSize, data, IoFlags.COMPRESSED));
        }
        fence(driver);
        images.loops.runReady();
        assertThat(writes).allMatch(write -> write.isDone() && write.error() == BlockError.EIO);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    /** An image over a backing file, of which no read ends for the time being. */
    private XlatorFile openBacked(int clusterSize, int clusters) {
        images.loops.await(
                images.brick.create(
                        BASE, new CreateOptions((clusters + 1L) * clusterSize, Map.of())));
        images.create(
                NAME,
                0,
                Map.of(
                        "cluster_size",
                        String.valueOf(clusterSize),
                        "backing_file",
                        BASE,
                        "backing_fmt",
                        "raw"));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        // Whatever comes before the first change is done.
        images.driver(file).write(0, new byte[clusterSize]);
        images.loops.runReady();
        brick.held = (name, request) -> name.equals(BASE) && request.op() == IoOp.READ;
        return file;
    }

    /** Writes a byte of each cluster behind the first one. */
    private static List<Pending> startCopying(FileDriver driver, int clusterSize, int count) {
        List<Pending> writes = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            writes.add(driver.startWrite((long) i * clusterSize, new byte[] {7}, IoFlags.NONE));
        }
        return writes;
    }

    private void fence(FileDriver driver) {
        brick.failing = (file, request) -> request.op() == IoOp.FLUSH;
        assertThat(driver.flush()).isEqualTo(BlockError.EIO);
        brick.failing = (file, request) -> false;
    }
}
