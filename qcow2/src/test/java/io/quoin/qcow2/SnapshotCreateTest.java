package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Internal snapshots that Quoin makes while a guest writes. */
@Timeout(300)
class SnapshotCreateTest {
    private static final String DISK = "disk.qcow2";

    @TempDir Path folder;
    private ImageFixture images;
    private int clusterSize;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "cluster_size=512",
                "cluster_size=4k",
                "cluster_size=64k",
                "cluster_size=2M",
                "cluster_size=512,compat=0.10",
                "cluster_size=4k,lazy_refcounts=on",
                "cluster_size=512,refcount_bits=32",
                "cluster_size=16k,extended_l2=on",
                "cluster_size=4k,backing_file=base.raw,backing_fmt=raw"
            })
    void shouldHaveTheContentOfOneMomentWhenGuestsWriteMeanwhile(String options)
            throws IOException {
        long seed = RandomOperations.seed();
        Random random = new Random(seed);
        boolean large = options.contains("2M");
        int size = large ? 4 << 20 : 300_032;
        byte[] model = new byte[size];
        make(options, size, seed, model);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        Map<String, byte[]> made = new TreeMap<>();
        for (int i = 0; i < 15; i++) {
            change(driver, random, model, size);
        }
        for (int round = 0; round < 4; round++) {
            String name = "snap-" + round;
            List<byte[]> moments = new ArrayList<>();
            moments.add(model.clone());
            CompletableFuture<SnapshotInfo> pending =
                    images.loops
                            .loop(0)
                            .call(() -> control.create(name, (done, total) -> true))
                            .toCompletableFuture();
            for (int i = 0; i < (large ? 20 : 200) && (i < 6 || !pending.isDone()); i++) {
                change(driver, random, model, size);
                moments.add(model.clone());
            }
            SnapshotInfo info = images.loops.await(pending);
            assertThat(info.name()).isEqualTo(name);
            assertThat(info.sizeBytes()).isEqualTo(size);
            assertThat(info.uuid()).isNotNull();
            byte[] content = read(DISK + "@" + name);
            assertThat(isOfOneMoment(content, moments))
                    .as("%s: one moment, seed=%d", name, seed)
                    .isTrue();
            made.put(name, content);
        }
        assertThat(control.list()).extracting(SnapshotInfo::id).containsExactly("1", "2", "3", "4");
        assertSame(driver.read(0, size), model, "head, seed=" + seed);
        images.close(file);
        images.checkClean(DISK);
        assertSame(images.qemuContent(DISK), model, "head as QEMU reads it");
        for (Map.Entry<String, byte[]> snapshot : made.entrySet()) {
            assertThat(Arrays.equals(read(DISK + "@" + snapshot.getKey()), snapshot.getValue()))
                    .as("%s, seed=%d", snapshot.getKey(), seed)
                    .isTrue();
            assertThat(Arrays.equals(qemuSnapshot(snapshot.getKey()), snapshot.getValue()))
                    .as("%s as QEMU reads it, seed=%d", snapshot.getKey(), seed)
                    .isTrue();
        }
        String listed =
                Peer.QEMU_IMG.command("snapshot", "-l", DISK).directory(folder).runOk().stdout();
        assertThat(listed).contains("snap-0", "snap-1", "snap-2", "snap-3");
    }

    @Test
    void shouldRefuseWhenNameIsTakenOrNoneOrTheImageIsReadOnly() throws IOException {
        make("cluster_size=4k", 65536, 1, new byte[65536]);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        create(file, "one");
        refused(file, "one", BlockError.EEXIST);
        for (String name : List.of("", "12", ".a", "a.", "a..b", "a/b", "a\nb", "x".repeat(256))) {
            refused(file, name, BlockError.EINVAL);
        }
        images.close(file);
        XlatorFile reader = images.open(DISK, OpenMode.READ_ONLY);
        refused(reader, "two", BlockError.EPERM);
        assertThat(SnapshotControl.of(reader).orElseThrow().list()).hasSize(1);
        images.close(reader);
        images.checkClean(DISK);
    }

    @Test
    void shouldVoidTheSnapshotAndNothingElseWhenCountsAreTooNarrow() throws IOException {
        byte[] model = new byte[300_032];
        make("cluster_size=512,refcount_bits=1", model.length, 3, model);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        Random random = new Random(3);
        for (int i = 0; i < 20; i++) {
            change(driver, random, model, model.length);
        }
        refused(file, "one", BlockError.EFBIG);
        for (int i = 0; i < 20; i++) {
            change(driver, random, model, model.length);
        }
        assertThat(SnapshotControl.of(file).orElseThrow().list()).isEmpty();
        images.close(file);
        assertSame(images.qemuContent(DISK), model, "head as QEMU reads it");
    }

    @Test
    void shouldVoidTheSnapshotWhenTheImageIsClosedInTheMiddle() throws IOException {
        byte[] model = new byte[300_032];
        make("cluster_size=512", model.length, 5, model);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        Random random = new Random(5);
        for (int i = 0; i < 30; i++) {
            change(driver, random, model, model.length);
        }
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        CompletableFuture<Void> reached = new CompletableFuture<>();
        CompletableFuture<SnapshotInfo> pending =
                images.loops
                        .loop(0)
                        .call(
                                () ->
                                        control.create(
                                                "one",
                                                (done, total) -> {
                                                    reached.complete(null);
                                                    return true;
                                                }))
                        .toCompletableFuture();
        images.loops.await(reached);
        change(driver, random, model, model.length);
        images.close(file);
        assertThatThrownBy(pending::join)
                .isInstanceOf(CompletionException.class)
                .hasRootCauseInstanceOf(BlockException.class);
        assertSame(images.qemuContent(DISK), model, "head as QEMU reads it");
        XlatorFile again = images.open(DISK, OpenMode.READ_WRITE);
        assertThat(SnapshotControl.of(again).orElseThrow().list()).isEmpty();
        create(again, "two");
        assertSame(images.driver(again).read(0, model.length), model, "head");
        images.close(again);
        assertSame(read(DISK + "@two"), model, "two");
    }

    @ParameterizedTest(name = "{0} fails {1}")
    @CsvSource({"READ, EIO", "WRITE, ENOSPC"})
    void shouldVoidTheSnapshotAndNothingElseWhenTheBrickFailsInSettle(IoOp op, BlockError error)
            throws IOException {
        byte[] model = new byte[300_032];
        make("cluster_size=512", model.length, 9, model);
        FaultyBrick faulty = new FaultyBrick(images.brick);
        images = new ImageFixture(folder, images.brick, faulty, Map.of());
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        Random random = new Random(9);
        for (int i = 0; i < 30; i++) {
            change(driver, random, model, model.length);
        }
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        faulty.error = error;
        CompletableFuture<SnapshotInfo> pending =
                images.loops
                        .loop(0)
                        .call(
                                () ->
                                        control.create(
                                                "one",
                                                (done, total) -> {
                                                    faulty.failing =
                                                            (name, request) -> request.op() == op;
                                                    return true;
                                                }))
                        .toCompletableFuture();
        assertThatThrownBy(() -> images.loops.await(pending))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
        faulty.failing = (name, request) -> false;
        for (int i = 0; i < 30; i++) {
            change(driver, random, model, model.length);
        }
        assertSame(driver.read(0, model.length), model, "head");
        images.close(file);
        assertSame(images.qemuContent(DISK), model, "head as QEMU reads it");
        XlatorFile again = images.open(DISK, OpenMode.READ_WRITE);
        create(again, "one");
        images.close(again);
        assertSame(read(DISK + "@one"), model, "one");
    }

    private void create(XlatorFile file, String name) {
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        images.loops.await(
                images.loops.loop(0).call(() -> control.create(name, (done, total) -> true)));
    }

    private void refused(XlatorFile file, String name, BlockError error) {
        assertThatThrownBy(() -> create(file, name))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
    }

    /** The first change of a session has the disk say that bitmaps are in use. */
    @Test
    void shouldLeaveBitmapsRightWhenItIsClosedAsASnapshotBegins() throws IOException {
        make("cluster_size=4k", 300_032, 1, new byte[300_032]);
        images.export(DISK);
        Peer.QEMU_IMG.command("bitmap", "--add", folder.resolve(DISK) + "", "b0").runOk();
        byte[] image = Files.readAllBytes(folder.resolve(DISK));
        for (int tasks = 0; tasks < 100; tasks++) {
            images.brick.put(DISK, image);
            images = images.reordering(tasks);
            XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
            SnapshotControl control = SnapshotControl.of(file).orElseThrow();
            CompletionStage<SnapshotInfo> making =
                    images.loops.loop(0).call(() -> control.create("s", (done, total) -> true));
            int[] left = {tasks};
            images.loops.runUntil(() -> left[0]-- <= 0);
            images.close(file);
            assertThat(making.toCompletableFuture()).as("tasks=%d", tasks).isDone();
            assertThat(BitmapsOnDisk.read(images.brick.content(DISK)).get("b0").inUse())
                    .as("tasks=%d", tasks)
                    .isFalse();
        }
    }

    private void make(String options, int size, long seed, byte[] model) throws IOException {
        images = ImageFixture.reordering(folder, seed, Map.of());
        String wanted = options.replaceAll("cluster_size=(\\w+).*", "$1");
        int unit = wanted.endsWith("k") ? 1 << 10 : wanted.endsWith("M") ? 1 << 20 : 1;
        clusterSize = Integer.parseInt(wanted.replaceAll("\\D", "")) * unit;
        byte[] base = new byte[100_352];
        Arrays.fill(base, (byte) 0x77);
        Files.write(folder.resolve("base.raw"), base);
        images.brick.put("base.raw", base);
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", options, DISK, "" + size)
                .directory(folder)
                .runOk();
        images.brick.put(DISK, Files.readAllBytes(folder.resolve(DISK)));
        if (options.contains("backing")) {
            System.arraycopy(base, 0, model, 0, base.length);
        }
    }

    private void change(FileDriver driver, Random random, byte[] model, int size) {
        int sectors = size / 512;
        int from = random.nextInt(sectors);
        int count = random.nextInt(Math.min(sectors - from, Math.max(2, sectors / 8))) + 1;
        int offset = from * 512;
        int length = Math.min(count, sectors - from) * 512;
        switch (random.nextInt(8)) {
            case 0 -> {
                BlockError error =
                        driver.await(driver.start(IoOp.WRITE_ZEROES, offset, length, IoFlags.NONE));
                assertThat(error).isEqualTo(BlockError.OK);
                Arrays.fill(model, offset, offset + length, (byte) 0);
            }
            case 1 -> {
                int flags = IoFlags.MAY_UNMAP | IoFlags.FUA;
                BlockError error =
                        driver.await(driver.start(IoOp.WRITE_ZEROES, offset, length, flags));
                assertThat(error).isEqualTo(BlockError.OK);
                Arrays.fill(model, offset, offset + length, (byte) 0);
            }
            case 2 -> assertThat(driver.flush()).isEqualTo(BlockError.OK);
            default -> {
                byte[] data = new byte[length];
                Arrays.fill(data, (byte) (random.nextInt(255) + 1));
                int flags = random.nextInt(3) == 0 ? compressed(offset, length) : 0;
                assertThat(driver.await(driver.startWrite(offset, data, flags)))
                        .isEqualTo(BlockError.OK);
                System.arraycopy(data, 0, model, offset, length);
            }
        }
    }

    private int compressed(int offset, int length) {
        return offset % clusterSize == 0 && length % clusterSize == 0
                ? IoFlags.COMPRESSED
                : IoFlags.NONE;
    }

    private static void assertSame(byte[] actual, byte[] expected, String what) {
        assertThat(Arrays.mismatch(actual, expected)).as(what).isEqualTo(-1);
    }

    /** Of a write that had not been answered at the moment any sector may be there or not. */
    private static boolean isOfOneMoment(byte[] content, List<byte[]> moments) {
        for (int k = 0; k < moments.size(); k++) {
            byte[] before = moments.get(k);
            byte[] after = moments.get(Math.min(k + 1, moments.size() - 1));
            boolean fits = true;
            for (int at = 0; at < content.length && fits; at += 512) {
                fits =
                        Arrays.equals(content, at, at + 512, before, at, at + 512)
                                || Arrays.equals(content, at, at + 512, after, at, at + 512);
            }
            if (fits) {
                return true;
            }
        }
        return false;
    }

    private byte[] qemuSnapshot(String name) throws IOException {
        Peer.QEMU_IMG
                .command(
                        "convert",
                        "-f",
                        "qcow2",
                        "-l",
                        "snapshot.name=" + name,
                        "-O",
                        "raw",
                        DISK,
                        "old.raw")
                .directory(folder)
                .runOk();
        return Files.readAllBytes(folder.resolve("old.raw"));
    }

    private byte[] read(String name) {
        XlatorFile file = images.open(name, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }
}
