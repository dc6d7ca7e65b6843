package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.qcow2.flatten.FlattenControl;
import io.quoin.qcow2.flatten.FlattenProgress;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are made independent of their backing files while a guest writes. */
@Timeout(300)
class FlattenTest {
    private static final String DISK = "disk.qcow2";
    private static final String RAW = "base.raw";
    private static final String MIDDLE = "middle.qcow2";
    private static final int MIB = 1 << 20;

    @TempDir Path folder;
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final FullBrick full = new FullBrick(brick);
    private ImageFixture images;
    private byte[] model = {};

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder, brick, full, Map.of());
    }

    static Stream<Arguments> kinds() {
        List<String> options =
                List.of(
                        "cluster_size=512",
                        "cluster_size=512,compat=0.10",
                        "cluster_size=4k",
                        "cluster_size=64k",
                        "cluster_size=64k,compat=0.10",
                        "cluster_size=2M",
                        "cluster_size=4k,lazy_refcounts=on",
                        "cluster_size=16k,extended_l2=on",
                        "cluster_size=64k,extended_l2=on",
                        "cluster_size=4k,refcount_bits=1",
                        "cluster_size=4k,data_file=disk.data");
        return options.stream()
                .flatMap(o -> Stream.of(Arguments.of(o, RAW), Arguments.of(o, MIDDLE)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("kinds")
    void shouldReadTheSameWithoutBackingFileWhenAGuestWritesMeanwhile(String options, String parent)
            throws IOException {
        long seed = RandomOperations.seed();
        Random random = new Random(seed);
        makeParents(random, 2 * MIB - 1536);
        make(options, parent, 3 * MIB - 512);
        ImageFixture reordering = images.reordering(seed);
        XlatorFile file = reordering.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = reordering.driver(file);
        for (int i = 0; i < 10; i++) {
            change(driver, random);
        }
        CompletableFuture<FlattenProgress> flat = flatten(reordering, file);
        for (int i = 0; i < 8 || (i < 200 && !flat.isDone()); i++) {
            if (i == 5) {
                grow(reordering, file, model.length + 100 * 512);
            }
            change(driver, random);
        }
        FlattenProgress end = reordering.loops.await(flat);
        assertThat(end.flat()).isTrue();
        assertThat(end.doneBytes()).isEqualTo(end.totalBytes());
        if (!options.contains("2M")) {
            assertThat(end.copiedBytes()).isPositive();
        }
        assertThat(file.details()).doesNotContainKey("backing-file");
        for (String gone : List.of(MIDDLE, RAW)) {
            reordering.loops.await(reordering.volume.remove(gone));
            Files.deleteIfExists(folder.resolve(gone));
        }
        for (int i = 0; i < 10; i++) {
            change(driver, random);
        }
        assertSame(driver.read(0, model.length), "seed=" + seed);
        reordering.close(file);
        if (options.contains("data_file")) {
            images.export("disk.data");
        }
        images.checkClean(DISK);
        assertThat(info()).doesNotContain("backing");
        byte[] content = images.qemuContent(DISK);
        assertThat(Arrays.mismatch(content, model)).as("QEMU, seed=%d", seed).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"compat=1.1", "compat=0.10"})
    void shouldStoreNothingWhenTheParentHasZeros(String compat) throws IOException {
        images.create(MIDDLE, 8 * MIB, Map.of());
        XlatorFile middle = images.open(MIDDLE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(middle);
        driver.write(0, new byte[MIB]); // data that is zeros
        driver.write(2 * MIB, filled(MIB, 1));
        assertThat(driver.zero(2 * MIB, MIB, IoFlags.NONE)).isEqualTo(BlockError.OK);
        driver.write(4 * MIB + 512, filled(512, 1));
        images.close(middle);
        images.export(MIDDLE);
        make("cluster_size=64k," + compat, MIDDLE, 8 * MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FlattenProgress end = images.loops.await(flatten(images, file));
        assertThat(end.copiedBytes()).isEqualTo(64 << 10);
        ExtentList extents = images.driver(file).status(0, 8 * MIB, IoFlags.NONE);
        assertThat(extents.count()).isEqualTo(3);
        assertThat(extents.extentLengthBytes(0)).isEqualTo(4 * MIB);
        assertThat(extents.status(0)).isEqualTo(BlockStatus.HOLE | BlockStatus.ZERO);
        assertThat(extents.extentLengthBytes(1)).isEqualTo(64 << 10);
        images.close(file);
        images.checkClean(DISK);
    }

    @Test
    void shouldRefuseWhenImageHasSnapshotsAndTakeNoneWhileItIsFlattened() throws IOException {
        makeParents(new Random(1), MIB);
        make("cluster_size=4k", RAW, MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        SnapshotControl snapshots = SnapshotControl.of(file).orElseThrow();
        FlattenControl control = FlattenControl.of(file).orElseThrow();
        call(() -> snapshots.create("monday", (done, total) -> true));
        refused(control::begin, BlockError.ENOTSUP, "snapshots=monday");
        call(() -> snapshots.delete("monday", (done, total) -> true));
        call(control::begin);
        refused(control::begin, BlockError.EBUSY, "already");
        refused(() -> snapshots.create("tuesday", (d, t) -> true), BlockError.EBUSY, "flattened");
        images.loops.loop(0).run(control::end);
        call(() -> snapshots.create("tuesday", (done, total) -> true));
        assertThat(control.parent()).contains(RAW);
        images.close(file);
        XlatorFile reader = images.open(DISK, OpenMode.READ_ONLY);
        refused(FlattenControl.of(reader).orElseThrow()::begin, BlockError.EPERM, "read-only");
        images.close(reader);
        XlatorFile flat = openFlat();
        refused(FlattenControl.of(flat).orElseThrow()::begin, BlockError.EINVAL, "no backing");
        images.close(flat);
    }

    /**
     * What is refused changes nothing; once the snapshots are gone it takes the disk's own space.
     */
    @Test
    void shouldFlattenOnceTenSnapshotsAreGone() throws IOException {
        Random random = new Random(6);
        makeParents(random, MIB);
        make("cluster_size=4k", RAW, MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        SnapshotControl snapshots = SnapshotControl.of(file).orElseThrow();
        List<byte[]> contents = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            change(images.driver(file), random);
            String name = "s" + i;
            call(() -> snapshots.create(name, (done, total) -> true));
            contents.add(model.clone());
        }
        byte[] before = brick.content(DISK);
        refused(FlattenControl.of(file).orElseThrow()::begin, BlockError.ENOTSUP, "count=10");
        assertThat(Arrays.mismatch(brick.content(DISK), before)).isEqualTo(-1);
        assertSame(images.driver(file).read(0, model.length), "refused");
        images.export(DISK);
        for (int i = 0; i < 10; i++) {
            assertThat(Arrays.mismatch(snapshotContent("s" + i), contents.get(i)))
                    .as("s%d, which is exported before it goes", i)
                    .isEqualTo(-1);
        }
        for (int i = 0; i < 10; i++) {
            String name = "s" + i;
            call(() -> snapshots.delete(name, (done, total) -> true));
        }
        assertThat(images.loops.await(flatten(images, file)).flat()).isTrue();
        images.close(file);
        images.checkClean(DISK);
        assertThat(info()).doesNotContain(RAW);
        assertThat(Arrays.mismatch(images.qemuContent(DISK), model)).isEqualTo(-1);
        assertThat(brick.content(DISK)).hasSizeLessThan(2 * MIB);
    }

    private byte[] snapshotContent(String name) throws IOException {
        Path raw = folder.resolve("snapshot.raw");
        Peer.QEMU_IMG
                .command("convert", "-l", name, "-O", "raw", DISK, raw.toString())
                .directory(folder)
                .runOk();
        return Files.readAllBytes(raw);
    }

    private XlatorFile openFlat() {
        images.create("flat.qcow2", MIB, Map.of());
        return images.open("flat.qcow2", OpenMode.READ_WRITE);
    }

    @Test
    void shouldCopyOnlyTheRestWhenItIsEndedAndBegunAgain() throws IOException {
        makeParents(new Random(2), 40 * MIB);
        brick.put(RAW, filled(40 * MIB, 7));
        model = filled(40 * MIB, 7);
        make("cluster_size=64k", RAW, 40 * MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FlattenControl control = FlattenControl.of(file).orElseThrow();
        call(control::begin);
        FlattenProgress first = call(control::advance);
        assertThat(first.flat()).isFalse();
        assertThat(first.copiedBytes()).isPositive().isLessThan(40 * MIB);
        assertThat(first.doneBytes()).isEqualTo(first.copiedBytes());
        images.loops.loop(0).run(control::end);
        assertSame(images.driver(file).read(0, model.length), "ended");
        images.close(file);
        images.checkClean(DISK);
        assertThat(info()).contains(RAW);
        XlatorFile again = images.open(DISK, OpenMode.READ_WRITE);
        FlattenProgress end = images.loops.await(flatten(images, again));
        assertThat(end.copiedBytes()).isEqualTo(40 * MIB - first.copiedBytes());
        assertSame(images.driver(again).read(0, model.length), "flat");
        images.close(again);
        images.checkClean(DISK);
        assertThat(info()).doesNotContain(RAW);
    }

    @Test
    void shouldStayAnOverlayWhenItIsClosedInTheMiddle() throws IOException {
        makeParents(new Random(3), 4 * MIB);
        make("cluster_size=4k", RAW, 4 * MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        CompletableFuture<FlattenProgress> pending = flatten(images, file);
        images.close(file);
        assertThatThrownBy(() -> images.loops.await(pending))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ESHUTDOWN));
        images.checkClean(DISK);
        assertThat(info()).contains(RAW);
        XlatorFile reader = images.open(DISK, OpenMode.READ_ONLY);
        assertSame(images.driver(reader).read(0, model.length), "closed");
        images.close(reader);
    }

    @Test
    void shouldFailAndLoseNothingWhenTheBrickIsFull() throws IOException {
        makeParents(new Random(4), 12 * MIB);
        make("cluster_size=4k", RAW, 12 * MIB);
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, filled(4096, 9));
        Arrays.fill(model, 0, 4096, (byte) 9);
        full.full = true;
        CompletableFuture<FlattenProgress> failing = flatten(images, file);
        assertThatThrownBy(() -> images.loops.await(failing))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC));
        assertSame(driver.read(0, model.length), "full");
        driver.write(0, filled(4096, 10));
        Arrays.fill(model, 0, 4096, (byte) 10);
        full.full = false;
        FlattenProgress end = images.loops.await(flatten(images, file));
        assertThat(end.flat()).isTrue();
        assertSame(driver.read(0, model.length), "flat");
        images.close(file);
        images.checkClean(DISK);
        byte[] content = images.qemuContent(DISK);
        assertThat(Arrays.mismatch(content, model)).isEqualTo(-1);
    }

    @Test
    void shouldStandOnNothingWhenACloneOfASnapshotIsFlattened() throws IOException {
        Random random = new Random(5);
        images.create(MIDDLE, MIB, Map.of("cluster_size", "4k"));
        XlatorFile parent = images.open(MIDDLE, OpenMode.READ_WRITE);
        model = new byte[MIB];
        for (int i = 0; i < 20; i++) {
            change(images.driver(parent), random);
        }
        SnapshotControl snapshots = SnapshotControl.of(parent).orElseThrow();
        call(() -> snapshots.create("monday", (done, total) -> true));
        images.driver(parent).write(0, filled(MIB, 3));
        images.create(
                DISK, MIB, Map.of("backing_file", MIDDLE + "@monday", "backing_fmt", "qcow2"));
        XlatorFile file = images.open(DISK, OpenMode.READ_WRITE);
        refused(() -> snapshots.delete("monday", (d, t) -> true), BlockError.EBUSY, "");
        assertThat(images.loops.await(flatten(images, file)).flat()).isTrue();
        call(() -> snapshots.delete("monday", (done, total) -> true));
        assertSame(images.driver(file).read(0, MIB), "flat");
        images.close(file);
        images.close(parent);
        images.checkClean(DISK);
        images.checkClean(MIDDLE);
        assertThat(Arrays.mismatch(images.qemuContent(DISK), model)).isEqualTo(-1);
    }

    /** A raw file, and an image over it with data, zeros, and what it does not have. */
    private void makeParents(Random random, int rawBytes) throws IOException {
        byte[] raw = new byte[rawBytes];
        for (int at = 0; at < rawBytes; at += 24 << 10) {
            int end = Math.min(rawBytes, at + (random.nextInt(4) << 13));
            Arrays.fill(raw, at, end, (byte) (random.nextInt(255) + 1));
        }
        brick.put(RAW, raw);
        Files.write(folder.resolve(RAW), raw);
        model = raw;
        images.create(
                MIDDLE,
                rawBytes,
                Map.of("cluster_size", "8k", "backing_file", RAW, "backing_fmt", "raw"));
    }

    private void make(String options, String parent, int size) throws IOException {
        if (parent.equals(MIDDLE) && model.length > 0) {
            XlatorFile middle = images.open(MIDDLE, OpenMode.READ_WRITE);
            Random random = new Random(size);
            for (int i = 0; i < 12; i++) {
                change(images.driver(middle), random);
            }
            images.close(middle);
            images.export(MIDDLE);
        }
        String format = parent.equals(RAW) ? "raw" : "qcow2";
        Peer.QEMU_IMG
                .command(
                        "create", "-q", "-f", "qcow2", "-o", options, "-b", parent, "-F", format,
                        DISK, "" + size)
                .directory(folder)
                .runOk();
        brick.put(DISK, Files.readAllBytes(folder.resolve(DISK)));
        if (options.contains("data_file")) {
            brick.put("disk.data", Files.readAllBytes(folder.resolve("disk.data")));
        }
        model = Arrays.copyOf(model, size);
    }

    private void change(FileDriver driver, Random random) {
        int sectors = model.length / 512;
        int from = random.nextInt(sectors);
        int length = Math.min(sectors - from, random.nextInt(sectors / 20) + 1) * 512;
        int offset = from * 512;
        byte[] data = filled(length, 0);
        switch (random.nextInt(7)) {
            case 0 ->
                    assertThat(driver.zero(offset, length, IoFlags.MAY_UNMAP))
                            .isEqualTo(BlockError.OK);
            case 1 -> assertThat(driver.discard(offset, length)).isEqualTo(BlockError.OK);
            case 2 -> {
                assertThat(driver.flush()).isEqualTo(BlockError.OK);
                return;
            }
            case 3 -> {
                byte[] expected = Arrays.copyOfRange(model, offset, offset + length);
                assertThat(Arrays.equals(driver.read(offset, length), expected)).isTrue();
                return;
            }
            default -> {
                data = filled(length, random.nextInt(255) + 1);
                driver.write(offset, data);
            }
        }
        System.arraycopy(data, 0, model, offset, length);
    }

    private void grow(ImageFixture on, XlatorFile file, int size) {
        on.loops.await(on.loops.loop(0).call(() -> file.resize(size)));
        model = Arrays.copyOf(model, size);
    }

    private static CompletableFuture<FlattenProgress> flatten(ImageFixture on, XlatorFile file) {
        FlattenControl control = FlattenControl.of(file).orElseThrow();
        return on.loops
                .loop(0)
                .call(
                        () ->
                                control.begin()
                                        .thenCompose(nothing -> advance(control))
                                        .whenComplete((end, failure) -> control.end()))
                .toCompletableFuture();
    }

    private static CompletionStage<FlattenProgress> advance(FlattenControl control) {
        return control.advance()
                .thenCompose(
                        now ->
                                now.flat()
                                        ? CompletableFuture.completedFuture(now)
                                        : advance(control));
    }

    private <T> T call(Supplier<CompletionStage<T>> work) {
        return images.loops.await(images.loops.loop(0).call(work));
    }

    private <T> void refused(Supplier<CompletionStage<T>> work, BlockError error, String text) {
        List<Throwable> failures = new ArrayList<>();
        call(
                () ->
                        work.get()
                                .handle(
                                        (value, failure) -> {
                                            failures.add(failure);
                                            return true;
                                        }));
        Throwable failure = failures.get(0);
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        assertThat(cause)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }

    private String info() throws IOException {
        images.export(DISK);
        return Peer.QEMU_IMG
                .command("info", "--output=json", DISK)
                .directory(folder)
                .runOk()
                .stdout();
    }

    private void assertSame(byte[] actual, String what) {
        assertThat(Arrays.mismatch(actual, model)).as(what).isEqualTo(-1);
    }

    private static byte[] filled(int length, int value) {
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) value);
        return data;
    }
}
