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
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many images in little memory: each request ends, none takes more than there is. */
@Timeout(120)
class SharedMemoryTest {
    /** 64 slices: the least that a cache has. */
    private static final long CACHE_BYTES = 256 << 10;

    /** Refcounts may go beyond, by some slices for each image. */
    private static final long BEYOND_BYTES = 1 << 20;

    private static final long SIZE_BYTES = 4L << 30;

    @TempDir Path folder;
    private MemoryXlator brick;
    private ProcessMemory memory;
    private ImageFixture images;

    @BeforeEach
    void start() {
        start(1 << 20);
    }

    private void start(long tableBytes) {
        brick = new MemoryXlator("brick");
        memory =
                new ProcessMemory(
                        Map.of(MemoryUse.CACHE, CACHE_BYTES, MemoryUse.TABLES, tableBytes));
        images = new ImageFixture(folder, brick, brick, Map.of(), memory);
    }

    private void assertWithinMemory() {
        assertThat(memory.usedBytes(MemoryUse.CACHE)).isLessThan(CACHE_BYTES + BEYOND_BYTES);
    }

    private static String name(int image) {
        return "disk" + image + ".qcow2";
    }

    private FileDriver open(int image) {
        return images.driver(images.open(name(image), OpenMode.READ_WRITE));
    }

    private void close(FileDriver driver) {
        images.close((XlatorFile) driver.device());
    }

    @Test
    void shouldServeEveryDiskWhenAllAreWrittenAllOver() throws IOException {
        int count = 12;
        Random random = new Random(7);
        List<FileDriver> drivers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Small clusters: a table for each 2 MiB.
            images.create(name(i), SIZE_BYTES, Map.of("cluster_size", "4096"));
            drivers.add(open(i));
        }
        List<Map<Long, Byte>> written = new ArrayList<>();
        drivers.forEach(driver -> written.add(new HashMap<>()));
        for (int round = 0; round < 4; round++) {
            List<Pending> pending = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                for (int k = 0; k < 60; k++) {
                    long at = random.nextInt((int) (SIZE_BYTES >>> 12)) * 4096L;
                    byte value = (byte) (1 + random.nextInt(100));
                    if (written.get(i).put(at, value) == null) {
                        pending.add(
                                drivers.get(i).startWrite(at, new byte[] {value}, IoFlags.NONE));
                    } else {
                        written.get(i).remove(at);
                    }
                }
            }
            for (Pending write : pending) {
                assertThat(drivers.get(0).await(write)).isEqualTo(BlockError.OK);
            }
            assertWithinMemory();
        }
        for (int i = 0; i < count; i++) {
            for (Map.Entry<Long, Byte> entry : written.get(i).entrySet()) {
                assertThat(drivers.get(i).read(entry.getKey(), 1))
                        .containsExactly(entry.getValue());
            }
            assertThat(drivers.get(i).flush()).isEqualTo(BlockError.OK);
            close(drivers.get(i));
            images.checkClean(name(i));
        }
    }

    @Test
    void shouldAnswerEveryReadWhenMoreTablesAreWantedThanFit() {
        images.create(name(0), SIZE_BYTES, Map.of("cluster_size", "4096"));
        FileDriver writer = open(0);
        int tables = 500;
        for (int i = 0; i < tables; i++) {
            writer.write((long) i << 21, new byte[] {(byte) i});
        }
        close(writer);
        FileDriver reader = open(0);
        List<Pending> reads = new ArrayList<>();
        for (int i = 0; i < tables; i++) {
            reads.add(reader.startRead((long) i << 21, 1));
        }
        for (int i = 0; i < tables; i++) {
            assertThat(reader.await(reads.get(i))).isEqualTo(BlockError.OK);
            assertThat(reads.get(i).data()).containsExactly((byte) i);
        }
        assertWithinMemory();
        close(reader);
    }

    @Test
    void shouldServeOthersWhenTheTablesOfADiskCannotBeWritten() {
        MemoryXlator store = new MemoryXlator("brick");
        FaultyBrick faulty = new FaultyBrick(store);
        images = new ImageFixture(folder, store, faulty, Map.of(), memory);
        int count = 6;
        List<FileDriver> drivers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            images.create(name(i), SIZE_BYTES, Map.of("cluster_size", "4096"));
            drivers.add(open(i));
        }
        FileDriver last = drivers.get(count - 1);
        for (FileDriver driver : drivers.subList(0, count - 1)) {
            for (int k = 0; k < 2; k++) {
                driver.write((long) k << 21, new byte[] {1});
            }
        }
        // What they have changed stays in memory until there is space.
        faulty.error = BlockError.ENOSPC;
        faulty.failing =
                (file, request) -> !file.equals(name(count - 1)) && request.op() == IoOp.WRITE;
        for (FileDriver driver : drivers.subList(0, count - 1)) {
            assertThat(driver.flush()).isEqualTo(BlockError.ENOSPC);
        }
        for (int k = 0; k < 200; k++) {
            last.write((long) k << 21, new byte[] {(byte) k});
        }
        assertThat(last.flush()).isEqualTo(BlockError.OK);
        assertThat(last.read(199L << 21, 1)).containsExactly((byte) 199);
        faulty.failing = (file, request) -> false;
        for (FileDriver driver : drivers) {
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(driver.read(1L << 21, 1)).hasSize(1).doesNotContain(0);
            close(driver);
        }
    }

    @Test
    void shouldRefuseADiskWhenOthersHaveTheMemoryForTables() {
        start(300 << 10);
        for (int i = 0; i < 3; i++) {
            // A first cluster of 64K, an L1 table of 4K entries and a refcount table of 64K.
            images.create(name(i), 2L << 40, Map.of());
        }
        FileDriver first = open(0);
        assertThatThrownBy(() -> open(1))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("no memory for the tables of the image: file=" + name(1))
                .extracting(e -> ((BlockException) e).error())
                .isEqualTo(BlockError.ENOMEM);
        close(first);
        close(open(1));
        assertThat(memory.usedBytes(MemoryUse.TABLES)).isZero();
    }
}
