package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Creating, opening, growing and closing images, and what is refused. */
@Timeout(120)
@LogsErrors("image refuses writes from now on: ")
class ImageLifeTest {
    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    @Test
    void shouldFinishAGrowWhenClosedMeanwhile() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        images.create("disk.qcow2", 1 << 20, Map.of("cluster_size", "512"));
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        List<CompletionStage<Void>> stages =
                images.loops.loop(0).call(() -> List.of(file.resize(64 << 20), file.close()));
        CompletableFuture<Void> grown = stages.get(0).toCompletableFuture();
        assertThat(grown).isNotDone();
        images.loops.await(stages.get(1));
        assertThat(grown).isCompletedWithValue(null);
        images.checkClean("disk.qcow2");
        XlatorFile again = images.open("disk.qcow2", OpenMode.READ_ONLY);
        assertThat(again.geometry().sizeBytes()).isEqualTo(64 << 20);
        images.close(again);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 1.1, 100000, 20000000",
        "512, 0.10, 65536, 9000000",
        "4096, 1.1, 1000001, 8000000",
        "65536, 1.1, 1000, 900000"
    })
    @DisplayName("QCOW2 46, 139: what a grow adds is zeros, not the backing file")
    void shouldReadZerosInTheNewPartWhenItGrows(int clusterSize, String compat, int from, int to)
            throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        int oldSize = (from + 511) / 512 * 512;
        int newSize = to / 512 * 512;
        byte[] base = new byte[newSize];
        Arrays.fill(base, (byte) 9);
        images.brick.put("base.raw", base);
        images.export("base.raw");
        Map<String, String> options = new HashMap<>();
        options.put("cluster_size", String.valueOf(clusterSize));
        options.put("compat", compat);
        options.put("backing_file", "base.raw");
        options.put("backing_fmt", "raw");
        images.create("disk.qcow2", oldSize, options);
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        ModelDisk model = new ModelDisk(Arrays.copyOf(base, oldSize));
        byte[] data = {1, 2, 3, 4};
        driver.write(oldSize - 4, data);
        model.write(oldSize - 4, data);
        images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
        model.resize(newSize);
        model.checkContent(driver);
        driver.write(newSize - 4, data);
        model.write(newSize - 4, data);
        images.close(file);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(model.content(0, newSize));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/passwd",
                "../x.qcow2",
                "..",
                "nbd:localhost:10809",
                "json:{}",
                "http://a/b",
                "a/b.qcow2",
                "."
            })
    @DisplayName("QCOW2 47: backing names that leave the volume are refused")
    void shouldRefuseBackingNamesThatLeaveTheVolume(String name) {
        Map<String, String> options = Map.of("backing_file", name, "backing_fmt", "raw");
        assertThatThrownBy(() -> images.create("disk.qcow2", 1 << 20, options))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
    }

    @Test
    @DisplayName("QCOW2 48: a loop of backing files is refused")
    void shouldRefuseALoopOfBackingFiles() {
        images.create("a.qcow2", 1 << 20, Map.of());
        images.create("b.qcow2", 0, Map.of("backing_file", "a.qcow2", "backing_fmt", "qcow2"));
        byte[] bytes = images.brick.content("b.qcow2");
        byte[] name = "b.qcow2".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        int offset = java.nio.ByteBuffer.wrap(bytes).getInt(12);
        System.arraycopy(name, 0, bytes, offset, name.length);
        images.brick.put("b.qcow2", bytes);
        assertThatThrownBy(() -> images.open("b.qcow2", OpenMode.READ_ONLY))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("loop");
    }

    @Test
    @DisplayName("QCOW2 48: a chain that is too long is refused")
    void shouldRefuseAChainThatIsTooLong() {
        images.create("0.qcow2", 1 << 16, Map.of());
        for (int i = 1; i < 256; i++) {
            images.create(
                    i + ".qcow2",
                    0,
                    Map.of("backing_file", (i - 1) + ".qcow2", "backing_fmt", "qcow2"));
        }
        XlatorFile last = images.open("255.qcow2", OpenMode.READ_ONLY);
        assertThat(images.driver(last).read(0, 512)).hasSize(512);
        images.close(last);
        assertThatThrownBy(
                        () ->
                                images.create(
                                        "256.qcow2",
                                        0,
                                        Map.of(
                                                "backing_file",
                                                "255.qcow2",
                                                "backing_fmt",
                                                "qcow2")))
                .hasMessageContaining("too long");
    }

    @ParameterizedTest
    @CsvSource({
        "preallocation, some, EINVAL",
        "refcount_bits, 7, EINVAL",
        "refcount_bits, 128, EINVAL",
        "compression_type, lzo, EINVAL",
        "data_file_raw, on, EINVAL",
        "data_file, ../x.raw, EPERM",
        "data_file, x.qcow2, EINVAL",
        "cluster_size, 1000, EINVAL",
        "cluster_size, 4M, EINVAL",
        "compat, 4, EINVAL",
        "clustersize, 4096, EINVAL",
        "backing_file, base.raw, EINVAL",
    })
    void shouldRefuseOptionsByName(String option, String value, BlockError error) {
        assertThatThrownBy(() -> images.create("disk.qcow2", 1 << 20, Map.of(option, value)))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
        assertThat(images.loops.await(images.brick.list())).isEmpty();
    }

    @Test
    void shouldListVirtualSizesAndPassOtherFilesThrough() {
        images.create("disk.qcow2", 5 << 20, Map.of());
        images.create("plain.raw", 12345, Map.of());
        images.brick.put("broken.qcow2", new byte[100]);
        assertThat(images.loops.await(images.volume.list()))
                .extracting(FileInfo::fileName, FileInfo::sizeBytes)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("broken.qcow2", 0L),
                        org.assertj.core.groups.Tuple.tuple("disk.qcow2", 5L << 20),
                        org.assertj.core.groups.Tuple.tuple("plain.raw", 12345L));
        assertThatThrownBy(() -> images.create("disk.qcow2", 1, Map.of()))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EEXIST));
    }

    @Test
    void shouldReportHolesZerosAndData() {
        images.create("disk.qcow2", 1 << 20, Map.of("cluster_size", "65536"));
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(65536, new byte[65536 * 3]);
        assertThat(driver.zero(65536 * 2, 65536, 0)).isEqualTo(BlockError.OK);
        assertThat(driver.discard(65536 * 3, 65536)).isEqualTo(BlockError.OK);
        int hole = BlockStatus.HOLE | BlockStatus.ZERO;
        assertThat(driver.status(0, 1 << 20, IoFlags.NONE))
                .hasToString(
                        "[65536:" + hole + ", 65536:0, 65536:2, " + 65536 * 13 + ":" + hole + "]");
        assertThat(driver.status(0, 1 << 20, IoFlags.REQ_ONE)).hasToString("[65536:3]");
        ExtentList extents = new ExtentList(8);
        IoRequest read = new IoRequest().read(0, 3 * 65536, IoFlags.SPARSE).extents(extents);
        read.memory().add(FileDriver.direct(3 * 65536), 0, 3 * 65536);
        assertThat(driver.perform(read)).isEqualTo(BlockError.OK);
        assertThat(extents).hasToString("[65536:3, 65536:0, 65536:2]");
        images.close(file);
    }

    @Test
    @DisplayName("QCOW2 128: a flush of allocations is one flush of the file")
    void shouldCostOneFlushWhenAGuestFlushesAllocations() {
        images.create("disk.qcow2", 64 << 20, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[65536]);
        driver.flush();
        images.loops.runReady();
        long before = images.brick.flushCount("disk.qcow2");
        driver.write(65536, new byte[4096]);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(images.brick.flushCount("disk.qcow2")).isEqualTo(before + 1);
        images.close(file);
    }

    @Test
    void shouldFlushByItselfWhenTheGuestDoesNot() {
        images.create("disk.qcow2", 64 << 20, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        images.driver(file).write(0, new byte[65536]);
        assertThat(images.brick.isUnflushed("disk.qcow2")).isTrue();
        images.loops.advance(java.util.concurrent.TimeUnit.SECONDS.toNanos(11));
        assertThat(images.brick.isUnflushed("disk.qcow2")).isFalse();
        images.close(file);
    }

    @Test
    @DisplayName("QCOW2 129: after a failed flush none succeeds, and writes end")
    void shouldRefuseWritesForGoodWhenAFlushHasFailed() {
        MemoryXlator brick = new MemoryXlator("brick");
        Faults below = new Faults(brick);
        images = new ImageFixture(folder, brick, below, Map.of());
        images.create("disk.qcow2", 1 << 20, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[] {5});
        below.failing = true;
        assertThat(driver.flush()).isEqualTo(BlockError.EIO);
        below.failing = false;
        assertThat(driver.flush()).isEqualTo(BlockError.EIO);
        assertThat(driver.write(0, new byte[] {6}, 0)).isEqualTo(BlockError.EIO);
        assertThat(driver.read(0, 1)).containsExactly(5);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    void shouldAllocateNoObjectsWhenClustersAreMapped() {
        MemoryXlator brick = new MemoryXlator("brick");
        Faults below = new Faults(brick);
        images = new ImageFixture(folder, brick, below, Map.of());
        images.create("disk.qcow2", 1 << 20, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[1 << 20]);
        below.instant = true;
        IoRequest request = new IoRequest();
        var memory = FileDriver.direct(4096);
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] used = {Long.MAX_VALUE};
        images.loops
                .loop(0)
                .run(
                        () -> {
                            for (int round = 0; round < 6; round++) {
                                long before = bean.getCurrentThreadAllocatedBytes();
                                for (int i = 0; i < 100_000; i++) {
                                    IoOp op = i % 2 == 0 ? IoOp.READ : IoOp.WRITE;
                                    request.prepare(op, i % 256 * 4096L, 4096, 0);
                                    request.memory().add(memory, 0, 4096);
                                    request.push(ImageLifeTest::ignore);
                                    file.submit(request);
                                }
                                long allocated = bean.getCurrentThreadAllocatedBytes() - before;
                                // The least, since the JVM itself may allocate in a round.
                                used[0] = Math.min(used[0], allocated);
                            }
                        });
        below.instant = false;
        images.close(file);
        assertThat(used[0]).as("bytes for 100,000 requests").isLessThan(100_000);
    }

    private static void ignore(IoRequest request, BlockError error) {
        if (error != BlockError.OK) {
            throw new AssertionError(request + " ended in " + error);
        }
    }

    /** A brick whose flushes can be made to fail, and whose data requests to do nothing. */
    private static final class Faults extends PassThroughXlator {
        boolean failing;
        boolean instant;

        Faults(MemoryXlator below) {
            super("faults", "testkit/faults", below);
        }

        @Override
        public CompletionStage<XlatorFile> open(
                String fileName, OpenOptions options, io.quoin.xlator.loop.Loop loop) {
            return subvolume().open(fileName, options, loop).thenApply(Failing::new);
        }

        private final class Failing extends PassThroughFile {
            Failing(XlatorFile below) {
                super(below);
            }

            @Override
            public void submit(IoRequest request) {
                if (request.op() == IoOp.FLUSH && failing) {
                    request.complete(BlockError.EIO);
                } else if (request.op().hasMemory() && instant) {
                    request.complete(BlockError.OK);
                } else {
                    below().submit(request);
                }
            }
        }
    }
}
