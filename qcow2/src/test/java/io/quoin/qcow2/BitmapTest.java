package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Persistent dirty bitmaps: what QEMU stored is loaded, what is stored QEMU reads the same. */
@Timeout(120)
class BitmapTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 3_000_320;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    private static void needQemu() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.QEMU_NBD, Peer.NBDINFO);
    }

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private void qemuWrite(long offset, long length) {
        Peer.QEMU_IO
                .command("-f", "qcow2", "-c", "write " + offset + " " + length, NAME)
                .directory(folder)
                .runOk();
    }

    private void fromQemu() throws IOException {
        images.brick.put(NAME, Files.readAllBytes(folder.resolve(NAME)));
    }

    /** The 512-byte sectors that the bitmap has marked, as QEMU says it. */
    private BitSet qemuBits(String bitmap) throws IOException {
        Path path = images.export(NAME);
        String map =
                Peer.NBDINFO
                        .command(
                                "--map=qemu:dirty-bitmap:" + bitmap,
                                "--",
                                "[",
                                Peer.QEMU_NBD.path().orElseThrow().toString(),
                                "-r",
                                "-f",
                                "qcow2",
                                "-B",
                                bitmap,
                                path.toString(),
                                "]")
                        .runOk()
                        .stdout();
        BitSet bits = new BitSet();
        for (String line : map.lines().toList()) {
            String[] columns = line.trim().split("\\s+", -1);
            int from = (int) (Long.parseLong(columns[0]) / 512);
            int to = (int) ((Long.parseLong(columns[0]) + Long.parseLong(columns[1]) + 511) / 512);
            bits.set(from, to, columns[2].equals("1"));
        }
        return bits;
    }

    private <T> T call(XlatorFile file, Function<BitmapControl, CompletionStage<T>> operation) {
        BitmapControl control = BitmapControl.of(file).orElseThrow();
        return images.loops.await(images.loops.loop(0).call(() -> operation.apply(control)));
    }

    private List<BitmapInfo> list(OpenMode mode) {
        XlatorFile file = images.open(NAME, mode);
        List<BitmapInfo> list = call(file, BitmapControl::list);
        images.close(file);
        return list;
    }

    private Qcow2Header header() {
        byte[] content = images.brick.content(NAME);
        return Qcow2Header.parse(ByteBuffer.wrap(content), content.length);
    }

    private List<BitmapEntry> directory() {
        byte[] content = images.brick.content(NAME);
        BitmapsExtension extension = header().bitmaps();
        if (extension == null) {
            return List.of();
        }
        ByteBuffer directory =
                ByteBuffer.wrap(
                                content,
                                (int) extension.directoryOffset(),
                                (int) extension.directorySizeBytes())
                        .slice();
        return BitmapDirectoryLayout.parse(
                directory, extension, header().clusterSizeBytes(), content.length);
    }

    /** Changes entries of the directory on disk, which must not change its size. */
    private void edit(UnaryOperator<BitmapEntry> change) {
        byte[] content = images.brick.content(NAME);
        List<BitmapEntry> entries = directory().stream().map(change).toList();
        ByteBuffer bytes = BitmapDirectoryLayout.encode(entries);
        bytes.get(content, (int) header().bitmaps().directoryOffset(), bytes.limit());
        images.brick.put(NAME, content);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 512, 200000",
        "4096, 65536, 3000320",
        "65536, 512, 3000320",
        "65536, 1048576, 3000320",
        "65536, 2147483648, 3000320",
        "2097152, 4096, 3000320",
    })
    @DisplayName("QCOW2 109-115: bits of random changes agree with a model and with QEMU")
    void shouldRecordWhatChangesWhenBitmapIsEnabled(int cluster, long granularity, int size)
            throws IOException {
        needQemu();
        long seed = RandomOperations.seed();
        System.out.println("bitmaps: seed=" + seed);
        Random random = new Random(seed);
        int sizeBytes = size / 512 * 512;
        qemuImg("create", "-qf", "qcow2", "-o", "cluster_size=" + cluster, NAME, "" + sizeBytes);
        qemuImg("bitmap", "--add", "-g", "" + granularity, NAME, "auto");
        qemuImg("bitmap", "--add", "-g", "" + granularity, "--disable", NAME, "off");
        qemuWrite(512, 5120);
        fromQemu();
        BitSet model = new BitSet();
        mark(model, 512, 5120, granularity, sizeBytes);
        BitSet off = new BitSet();
        for (int session = 0; session < 3; session++) {
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            FileDriver driver = images.driver(file);
            for (int i = 0; i < 12; i++) {
                int offset = random.nextInt(sizeBytes / 512) * 512;
                int length = (1 + random.nextInt(40)) * 512;
                length = Math.min(length, sizeBytes - offset);
                BlockError error =
                        switch (random.nextInt(4)) {
                            case 0 -> driver.discard(offset, length);
                            case 1 -> driver.zero(offset, length, IoFlags.MAY_UNMAP);
                            default -> driver.write(offset, new byte[length], IoFlags.NONE);
                        };
                assertThat(error).isEqualTo(BlockError.OK);
                mark(model, offset, length, granularity, sizeBytes);
            }
            if (session == 1) {
                // Everything: tables of ones.
                assertThat(driver.zero(0, sizeBytes, 0)).isEqualTo(BlockError.OK);
                mark(model, 0, sizeBytes, granularity, sizeBytes);
            }
            images.close(file);
            images.checkClean(NAME);
            assertThat(qemuBits("auto")).as("seed=%d", seed).isEqualTo(model);
            assertThat(qemuBits("off")).isEqualTo(off);
            qemuWrite(sizeBytes - 512, 512);
            mark(model, sizeBytes - 512, 512, granularity, sizeBytes);
            fromQemu();
            if (session == 1) {
                XlatorFile cleared = images.open(NAME, OpenMode.READ_WRITE);
                call(cleared, control -> control.clear("auto"));
                images.close(cleared);
                model.clear();
            }
        }
    }

    private static void mark(BitSet model, int offset, int length, long granularity, int size) {
        long from = offset / granularity * granularity;
        long to = Math.min(size, (offset + length + granularity - 1) / granularity * granularity);
        model.set((int) (from / 512), (int) (to / 512));
    }

    @Test
    @DisplayName("QCOW2 114, 118: a bitmap is in use on disk from the first change until close")
    void shouldBeInUseOnDiskWhenGuestHasWritten() throws IOException {
        needQemu();
        qemuImg("create", "-qf", "qcow2", NAME, "" + SIZE);
        qemuImg("bitmap", "--add", NAME, "auto");
        qemuImg("bitmap", "--add", "--disable", NAME, "off");
        fromQemu();
        byte[] before = images.brick.content(NAME);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(file).read(0, 4096);
        assertThat(images.brick.content(NAME)).isEqualTo(before);
        images.driver(file).write(0, new byte[512]);
        assertThat(directory().get(0).isInUse()).isTrue();
        assertThat(directory().get(1).isInUse()).isFalse();
        assertThat(header().bitmapsConsistent()).isTrue();
        byte[] crashed = images.brick.content(NAME);
        images.close(file);
        assertThat(directory()).noneMatch(BitmapEntry::isInUse);
        assertThat(file.details().get("bitmaps").toString()).contains("auto", "off");

        images.brick.put(NAME, crashed);
        assertThat(list(OpenMode.READ_ONLY))
                .containsExactly(
                        new BitmapInfo("auto", 65536, true, true, -1),
                        new BitmapInfo("off", 65536, false, false, 0));
        assertThat(images.brick.content(NAME)).isEqualTo(crashed);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(again).write(0, new byte[512]);
        assertThatThrownBy(() -> call(again, control -> control.merge("off", control, "auto")))
                .hasMessageContaining("inconsistent");
        images.close(again);
        assertThat(directory().get(0).isInUse()).isTrue();
        XlatorFile last = images.open(NAME, OpenMode.READ_WRITE);
        call(last, control -> control.remove("auto"));
        images.close(last);
        // What had been reserved when it crashed.
        images.checkLeaksAtWorst(NAME);
        assertThat(directory()).hasSize(1);
    }

    @Test
    @DisplayName("QCOW2 30: an image without the bit has no bitmaps, and gets new ones")
    void shouldIgnoreBitmapsWhenAutoclearBitIsOff() throws IOException {
        needQemu();
        qemuImg("create", "-qf", "qcow2", NAME, "" + SIZE);
        qemuImg("bitmap", "--add", NAME, "stale");
        fromQemu();
        byte[] content = images.brick.content(NAME);
        ByteBuffer.wrap(content).putLong(88, 0);
        images.brick.put(NAME, content);
        assertThat(list(OpenMode.READ_WRITE)).isEmpty();
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(file).write(0, new byte[512]);
        call(file, control -> control.add("fresh", 4096, true));
        images.driver(file).write(8192, new byte[512]);
        images.close(file);
        assertThat(list(OpenMode.READ_ONLY))
                .containsExactly(new BitmapInfo("fresh", 4096, true, false, 4096));
        assertThat(qemuBits("fresh").cardinality()).isEqualTo(8);
    }

    @Test
    void shouldShowNoBitmapsWhenSnapshotIsOpened() throws IOException {
        needQemu();
        qemuImg("create", "-qf", "qcow2", NAME, "" + SIZE);
        qemuImg("bitmap", "--add", NAME, "now");
        qemuImg("snapshot", "-c", "before", NAME);
        fromQemu();
        XlatorFile snapshot = images.open(NAME + "@before", OpenMode.READ_ONLY);
        assertThat(call(snapshot, BitmapControl::list)).isEmpty();
        assertThat(snapshot.details()).doesNotContainKey("bitmaps");
        images.close(snapshot);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(file).write(0, new byte[512]);
        images.close(file);
        images.checkClean(NAME);
        assertThat(ranges(qemuBits("now"))).isEqualTo("0-128");
    }

    @Test
    @DisplayName("QCOW2 117, 139: bitmaps are cut when the image becomes smaller")
    void shouldCutBitmapsWhenImageShrinks() throws IOException {
        needQemu();
        images.create(NAME, 8 << 20, Map.of("cluster_size", "512"));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.add("on", 512, true));
        images.driver(file).write(4096, new byte[512]);
        images.driver(file).write((8 << 20) - 512, new byte[512]);
        images.close(file);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(images.loops.loop(0).call(() -> again.shrink(1 << 20)));
        images.driver(again).write((1 << 20) - 512, new byte[512]);
        images.close(again);
        images.checkClean(NAME);
        assertThat(ranges(qemuBits("on"))).isEqualTo("8-9 2047-2048");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    @DisplayName(
            "QCOW2 40, 44, 116: bitmaps are added, merged, switched and removed as QEMU does it")
    void shouldEndAsQemuDoesWhenBitmapsAreManaged(int cluster) throws IOException {
        needQemu();
        int size = cluster == 512 ? 200_192 : SIZE;
        qemuImg("create", "-qf", "qcow2", "base.qcow2", "1M");
        images.brick.put("base.qcow2", Files.readAllBytes(folder.resolve("base.qcow2")));
        images.create(
                NAME,
                size,
                Map.of(
                        "cluster_size",
                        "" + cluster,
                        "backing_file",
                        "base.qcow2",
                        "backing_fmt",
                        "qcow2"));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        call(file, control -> control.add("a", 512, true));
        call(file, control -> control.add("b", 4096, true));
        driver.write(1024, new byte[512]);
        call(file, control -> control.disable("b"));
        call(file, control -> control.add("c", 65536, false));
        driver.write(9216, new byte[1024]);
        call(file, control -> control.merge("c", control, "a"));
        call(file, control -> control.merge("b", control, "c"));
        images.close(file);
        images.checkClean(NAME);
        assertThat(ranges(qemuBits("a"))).isEqualTo("2-3 18-20");
        assertThat(ranges(qemuBits("b"))).isEqualTo("0-128");
        assertThat(ranges(qemuBits("c"))).isEqualTo("0-128");

        Path path = images.export(NAME);
        qemuImg("bitmap", "--disable", NAME, "a");
        qemuImg("bitmap", "--enable", NAME, "b");
        qemuImg("bitmap", "--clear", NAME, "b");
        qemuImg("bitmap", "--merge", "a", NAME, "b");
        images.brick.put(NAME, Files.readAllBytes(path));
        assertThat(list(OpenMode.READ_ONLY))
                .containsExactly(
                        new BitmapInfo("a", 512, false, false, 1536),
                        new BitmapInfo("b", 4096, true, false, 8192),
                        new BitmapInfo("c", 65536, false, false, 65536));
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        for (String name : List.of("a", "b", "c")) {
            call(again, control -> control.remove(name));
        }
        images.close(again);
        images.checkClean(NAME);
        assertThat(header().bitmaps()).isNull();
        assertThat(header().autoclearFeatures()).isZero();
        assertThat(header().backingFile()).isEqualTo("base.qcow2");
    }

    private static String ranges(BitSet bits) {
        List<String> ranges = new ArrayList<>();
        for (int from = bits.nextSetBit(0); from >= 0; ) {
            int to = bits.nextClearBit(from);
            ranges.add(from + "-" + to);
            from = bits.nextSetBit(to);
        }
        return String.join(" ", ranges);
    }

    @Test
    @DisplayName("QCOW2 117: bitmaps grow with the image; with an inconsistent one it is refused")
    void shouldExtendBitmapsWhenImageGrows() throws IOException {
        needQemu();
        images.create(NAME, 1 << 20, Map.of("cluster_size", "512"));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.add("on", 512, true));
        call(file, control -> control.add("off", 512, false));
        images.driver(file).write(4096, new byte[512]);
        call(file, control -> control.merge("off", control, "on"));
        images.close(file);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(images.loops.loop(0).call(() -> again.resize(8 << 20)));
        assertThat(directory()).allMatch(BitmapEntry::isInUse);
        images.driver(again).write((8 << 20) - 512, new byte[512]);
        byte[] crashed = images.brick.content(NAME);
        images.close(again);
        images.checkClean(NAME);
        assertThat(ranges(qemuBits("on"))).isEqualTo("8-9 16383-16384");
        assertThat(ranges(qemuBits("off"))).isEqualTo("8-9");

        images.brick.put(NAME, crashed);
        images.checkLeaksAtWorst(NAME);
        XlatorFile stale = images.open(NAME, OpenMode.READ_WRITE);
        assertThatThrownBy(
                        () ->
                                images.loops.await(
                                        images.loops.loop(0).call(() -> stale.resize(9 << 20))))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("bitmap on is inconsistent");
        images.close(stale);
    }

    @Test
    @DisplayName("QCOW2 110, 117: bad names, granularities, version 2 and read-only are refused")
    void shouldRefuseWhenBitmapCannotBeMade() {
        images.create(NAME, SIZE, Map.of());
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        refused(file, BlockError.EINVAL, "", 4096);
        refused(file, BlockError.EINVAL, "x".repeat(1024), 4096);
        refused(file, BlockError.EINVAL, "x", 256);
        refused(file, BlockError.EINVAL, "x", 1L << 32);
        refused(file, BlockError.EINVAL, "x", 5000);
        call(file, control -> control.add("x".repeat(1023), 0, false));
        refused(file, BlockError.EEXIST, "x".repeat(1023), 4096);
        assertThatThrownBy(() -> call(file, control -> control.clear("none")))
                .hasMessageContaining("no such bitmap: bitmap=none");
        images.close(file);
        XlatorFile readOnly = images.open(NAME, OpenMode.READ_ONLY);
        refused(readOnly, BlockError.EPERM, "y", 4096);
        images.close(readOnly);
        images.create("old.qcow2", SIZE, Map.of("compat", "0.10"));
        XlatorFile old = images.open("old.qcow2", OpenMode.READ_WRITE);
        refused(old, BlockError.ENOTSUP, "y", 4096);
        images.close(old);
        images.create("large.qcow2", 1L << 40, Map.of());
        XlatorFile large = images.open("large.qcow2", OpenMode.READ_WRITE);
        refused(large, BlockError.ENOSPC, "y", 512);
        images.close(large);
    }

    private void refused(XlatorFile file, BlockError error, String name, long granularity) {
        assertThatThrownBy(() -> call(file, control -> control.add(name, granularity, true)))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
    }

    @Test
    @DisplayName("QCOW2 110: a bitmap with extra data that are not understood is kept and not used")
    void shouldKeepBitmapWhenItsExtraDataAreUnknown() {
        images.create(NAME, SIZE, Map.of());
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.add("0123456789", 4096, true));
        call(file, control -> control.add("other", 4096, true));
        images.close(file);
        OpaqueBytes extra = OpaqueBytes.copyOf("extra!!!".getBytes(StandardCharsets.US_ASCII));
        edit(
                entry ->
                        entry.name().equals("other")
                                ? entry
                                : new BitmapEntry(
                                        entry.tableOffset(),
                                        entry.tableEntries(),
                                        entry.flags(),
                                        entry.granularityBits(),
                                        "01",
                                        extra));
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(again).write(0, new byte[512]);
        images.close(again);
        BitmapEntry kept = directory().get(0);
        assertThat(kept.extraData()).isEqualTo(extra);
        assertThat(kept.isInUse()).isTrue();
        assertThat(directory().get(1).isInUse()).isFalse();
        assertThat(list(OpenMode.READ_ONLY).get(0))
                .isEqualTo(new BitmapInfo("01", 4096, true, true, -1));
        edit(
                entry ->
                        entry.withFlags(
                                BitmapDirectoryLayout.AUTO
                                        | BitmapDirectoryLayout.EXTRA_DATA_COMPATIBLE));
        XlatorFile third = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(third).write(0, new byte[512]);
        images.close(third);
        assertThat(list(OpenMode.READ_ONLY).get(0))
                .isEqualTo(new BitmapInfo("01", 4096, true, false, 4096));
        assertThat(directory().get(0).extraData()).isEqualTo(extra);
    }

    @Test
    @DisplayName("QCOW2 112: a bitmap with a broken table is kept and not used; others go on")
    void shouldNotUseBitmapWhenItsTableIsBroken() throws IOException {
        images.create(NAME, SIZE, Map.of());
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.add("bad", 4096, true));
        call(file, control -> control.add("good", 4096, true));
        images.driver(file).write(0, new byte[512]);
        images.close(file);
        byte[] content = images.brick.content(NAME);
        // The active L1 table.
        ByteBuffer.wrap(content)
                .putLong((int) directory().get(0).tableOffset(), header().l1TableOffset());
        images.brick.put(NAME, content);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(again).write(1 << 20, new byte[512]);
        images.close(again);
        assertThat(directory().get(0).isInUse()).isTrue();
        assertThat(list(OpenMode.READ_WRITE))
                .containsExactly(
                        new BitmapInfo("bad", 4096, true, true, -1),
                        new BitmapInfo("good", 4096, true, false, 8192));
        XlatorFile third = images.open(NAME, OpenMode.READ_WRITE);
        call(third, control -> control.remove("bad"));
        images.close(third);
        if (Peer.QEMU_IMG.available()) {
            images.checkLeaksAtWorst(NAME);
        }
    }
}
