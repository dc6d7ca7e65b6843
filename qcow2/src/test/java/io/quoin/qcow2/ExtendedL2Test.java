package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images with subclusters, made by QEMU and judged by it. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class ExtendedL2Test {
    private static final String IMAGE = "disk.qcow2";
    private static final int CLUSTER = 65536;
    private static final int SUBCLUSTER = CLUSTER / 32;
    private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

    @TempDir Path folder;
    private ImageFixture images;
    private RandomChanges changes;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
        changes = new RandomChanges(folder, images, IMAGE);
    }

    @ParameterizedTest
    @DisplayName("QCOW2 81, 82: subclusters of every cluster size are read and written as by QEMU")
    @CsvSource({
        "16384, none, 3000000, 150",
        "16384, raw, 3000000, 150",
        "65536, none, 6000000, 120",
        "65536, raw, 6000000, 120",
        "65536, qcow2, 6000000, 120",
        "2097152, raw, 20000000, 50",
    })
    void shouldReadBackWhatWasWrittenWhenClustersHaveSubclusters(
            int clusterSize, String backing, int size, int count) throws IOException {
        long seed = RandomOperations.seed();
        int sizeBytes = size / 512 * 512;
        ModelDisk model = make(clusterSize, backing, sizeBytes, seed);
        for (int round = 0; round < 3; round++) {
            changes.byQuoin(model, count, seed + round);
            changes.checkByQemu(model);
            changes.byQemu(model, new Random(seed + round));
        }
    }

    @Test
    @DisplayName(
            "QCOW2 80: subclusters of a cluster that a snapshot shares move when one is written")
    void shouldCopyOnWriteWhenAnInternalSnapshotSharesClusters() throws IOException {
        long seed = RandomOperations.seed();
        int sizeBytes = 2_000_000 / 512 * 512;
        ModelDisk model = make(CLUSTER, "raw", sizeBytes, seed);
        for (int round = 0; round < 3; round++) {
            Path path = images.export(IMAGE);
            String name = "s" + round;
            Peer.QEMU_IMG.command("snapshot", "-c", name, path.toString()).runOk();
            images.brick.put(IMAGE, Files.readAllBytes(path));
            byte[] before = model.content(0, sizeBytes);
            changes.byQuoin(model, 40, seed + round);
            changes.checkByQemu(model);
            Path old = folder.resolve("old.raw");
            Peer.QEMU_IMG
                    .command("convert", "-l", name, "-O", "raw", path.toString(), old.toString())
                    .runOk();
            assertThat(Files.readAllBytes(old)).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @DisplayName("QCOW2 85, 92: compressed clusters among subclusters are replaced as a whole")
    @ValueSource(strings = {"zlib", "zstd"})
    void shouldReplaceCompressedClustersWhenPartOfOneIsChanged(String type) throws IOException {
        long seed = RandomOperations.seed();
        int sizeBytes = 3_000_000 / 512 * 512;
        byte[] content = new byte[sizeBytes];
        for (int at = 0; at < sizeBytes; at += 512) {
            Arrays.fill(content, at, at + 512, (byte) (at / 1000));
        }
        Arrays.fill(content, sizeBytes / 2, sizeBytes / 2 + 300_000, (byte) 0);
        Path raw = folder.resolve("source.raw");
        Files.write(raw, content);
        String options = "extended_l2=on,compression_type=" + type;
        Path path = folder.resolve(IMAGE);
        Peer.QEMU_IMG
                .command("convert", "-c", "-O", "qcow2", "-o", options, raw + "", path + "")
                .runOk();
        images.brick.put(IMAGE, Files.readAllBytes(path));
        ModelDisk model = new ModelDisk(content);
        for (int round = 0; round < 2; round++) {
            changes.byQuoin(model, 60, seed + round);
            changes.checkByQemu(model);
            changes.byQemu(model, new Random(seed + round));
        }
    }

    @Test
    @DisplayName("QCOW2 86: a write of part of a subcluster copies only that subcluster")
    void shouldCopyOneSubclusterWhenPartOfItIsWritten() throws IOException {
        byte[] base = new byte[4 * CLUSTER];
        Arrays.fill(base, (byte) 5);
        create("cluster_size=64k", base, base.length);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(3 * SUBCLUSTER + 512, new byte[512]);
        driver.write(CLUSTER + 4 * SUBCLUSTER, new byte[2 * SUBCLUSTER]);
        driver.write(CLUSTER + 8 * SUBCLUSTER - 512, new byte[SUBCLUSTER]);
        images.close(file);
        assertThat(entry(0)[1]).isEqualTo(1L << 3);
        assertThat(entry(1)[1]).isEqualTo(3L << 4 | 3L << 7);
        byte[] bytes = images.brick.content(IMAGE);
        int host = (int) (entry(0)[0] & OFFSET_MASK);
        assertThat(Arrays.copyOfRange(bytes, host, host + 3 * SUBCLUSTER)).containsOnly(0);
        assertThat(bytes[host + 3 * SUBCLUSTER]).isEqualTo((byte) 5);
        assertThat(bytes[host + 4 * SUBCLUSTER]).isZero();
        Arrays.fill(base, 3 * SUBCLUSTER + 512, 3 * SUBCLUSTER + 1024, (byte) 0);
        Arrays.fill(base, CLUSTER + 4 * SUBCLUSTER, CLUSTER + 6 * SUBCLUSTER, (byte) 0);
        int third = CLUSTER + 8 * SUBCLUSTER - 512;
        Arrays.fill(base, third, third + SUBCLUSTER, (byte) 0);
        images.checkClean(IMAGE);
        assertThat(images.qemuContent(IMAGE)).isEqualTo(base);
    }

    @Test
    @DisplayName("QCOW2 87, 137: zeroed subclusters get their zero bits, neighbours stay")
    void shouldSetZeroBitsOnlyWhenSubclustersAreZeroed() throws IOException {
        byte[] base = new byte[4 * CLUSTER];
        Arrays.fill(base, (byte) 5);
        create("cluster_size=64k", base, base.length);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] ones = new byte[CLUSTER];
        Arrays.fill(ones, (byte) 1);
        driver.write(0, ones);
        driver.write(2 * CLUSTER, ones);
        assertThat(driver.zero(2 * SUBCLUSTER, 3 * SUBCLUSTER, 0)).isEqualTo(BlockError.OK);
        assertThat(driver.zero(CLUSTER + SUBCLUSTER, SUBCLUSTER, IoFlags.MAY_UNMAP))
                .isEqualTo(BlockError.OK);
        assertThat(driver.discard(2 * CLUSTER, CLUSTER / 2)).isEqualTo(BlockError.OK);
        int data = BlockStatus.DATA;
        assertThat(driver.status(0, 6 * SUBCLUSTER, IoFlags.NONE))
                .hasToString(
                        "["
                                + (2 * SUBCLUSTER + ":" + data)
                                + (", " + 3 * SUBCLUSTER + ":" + BlockStatus.ZERO)
                                + (", " + SUBCLUSTER + ":" + data + "]"));
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(entry(0)[1]).isEqualTo(0xffff_ffe3L | 0x1cL << 32);
        assertThat(entry(1)).containsExactly(0, 2L << 32);
        assertThat(entry(2)[1]).isEqualTo(0xffff_0000L | 0xffffL << 32);
        assertThat(entry(2)[0] & OFFSET_MASK).isNotZero();
        assertThat(driver.discard(2 * CLUSTER + CLUSTER / 2, CLUSTER / 2)).isEqualTo(BlockError.OK);
        images.close(file);
        assertThat(entry(2)).containsExactly(0, 0xffff_ffffL << 32);
        images.checkClean(IMAGE);
    }

    @ParameterizedTest
    @DisplayName("QCOW2 82, 83, 84, 85: an entry that cannot be ends in EIO and the corrupt bit")
    @CsvSource({
        // flips in the descriptor, flips in the bitmap
        "0, 100000000",
        "1, 0",
        "200, 0",
        "0100000000000000, 0",
        "4000000000000000, 0",
        "7fffff00000000, 0",
    })
    void shouldSetTheCorruptBitWhenAnEntryCannotBe(String descriptor, String bitmap)
            throws IOException {
        create("cluster_size=64k", new byte[0], 4 * CLUSTER);
        changes.qemuIo("write -P 1 0 4k", "write -P 2 64k 64k");
        long[] entry = entry(0);
        putEntry(0, entry[0] ^ Long.parseUnsignedLong(descriptor, 16), entry[1] ^ hex(bitmap));
        shouldBeFoundCorrupt();
    }

    @Test
    @DisplayName("QCOW2 83: an allocated subcluster without a host offset ends in EIO")
    void shouldSetTheCorruptBitWhenTheHostOffsetIsMissing() throws IOException {
        create("cluster_size=64k", new byte[0], 4 * CLUSTER);
        changes.qemuIo("write -P 1 0 4k", "write -P 2 64k 64k");
        putEntry(0, 0, 1);
        shouldBeFoundCorrupt();
    }

    private void shouldBeFoundCorrupt() {
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(driver.read(CLUSTER, 4096)).containsOnly(2);
        assertThat(driver.await(driver.startRead(0, 512))).isEqualTo(BlockError.EIO);
        assertThat(images.brick.content(IMAGE)[79] & 2).isEqualTo(2);
        assertThat(driver.write(2 * CLUSTER, new byte[512], 0)).isEqualTo(BlockError.EIO);
        assertThat(driver.read(CLUSTER, 4096)).containsOnly(2);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    @DisplayName("QCOW2 64, 73: a table covers half as much, and a longer L1 is found by QEMU")
    void shouldGrowTheL1TableByTheSmallerCoverWhenTheImageGrows() throws IOException {
        create("cluster_size=16k", new byte[0], 1 << 20);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[] {1, 2, 3, 4});
        // A table covers 16 MiB, one cluster of L1 2048 tables.
        long newSize = (33L << 30) + 512;
        images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
        driver.write(newSize - 4, new byte[] {5, 6, 7, 8});
        driver.write(16 << 20, new byte[] {9});
        images.close(file);
        images.checkClean(IMAGE);
        Peer.QEMU_IO
                .command(
                        "-r",
                        "-f",
                        "qcow2",
                        "-c",
                        "read -P 9 16M 1",
                        "-c",
                        "read -P 8 " + (newSize - 1) + " 1",
                        images.export(IMAGE).toString())
                .runOk();
    }

    private static long hex(String text) {
        return Long.parseUnsignedLong(text, 16);
    }

    /** The words of an entry of the first table as they are on disk. */
    private long[] entry(int l2Index) {
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(IMAGE));
        int at = l2At(bytes) + 16 * l2Index;
        return new long[] {bytes.getLong(at), bytes.getLong(at + 8)};
    }

    private void putEntry(int l2Index, long descriptor, long bitmap) {
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(IMAGE));
        int at = l2At(bytes) + 16 * l2Index;
        bytes.putLong(at, descriptor).putLong(at + 8, bitmap);
        images.brick.put(IMAGE, bytes.array());
    }

    private static int l2At(ByteBuffer bytes) {
        return (int) (bytes.getLong((int) bytes.getLong(40)) & OFFSET_MASK);
    }

    private ModelDisk make(int clusterSize, String backing, int sizeBytes, long seed)
            throws IOException {
        byte[] content = new byte[sizeBytes];
        if (!backing.equals("none")) {
            byte[] base = new byte[sizeBytes * 2 / 3 / 512 * 512];
            new Random(seed).nextBytes(base);
            System.arraycopy(base, 0, content, 0, base.length);
            if (backing.equals("raw")) {
                create("cluster_size=" + clusterSize, base, sizeBytes);
            } else {
                create("cluster_size=" + clusterSize, new byte[0], base.length);
                XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
                images.driver(file).write(0, base);
                images.close(file);
                images.brick.put("base.qcow2", images.brick.content(IMAGE));
                images.export("base.qcow2");
                createWith("cluster_size=" + clusterSize, "base.qcow2", "qcow2", sizeBytes);
            }
        } else {
            create("cluster_size=" + clusterSize, new byte[0], sizeBytes);
        }
        ModelDisk model = new ModelDisk(content);
        changes.byQemu(model, new Random(seed));
        return model;
    }

    private void create(String options, byte[] base, long sizeBytes) throws IOException {
        images.brick.put("base.raw", base);
        images.export("base.raw");
        createWith(options, base.length == 0 ? "" : "base.raw", "raw", sizeBytes);
    }

    private void createWith(String options, String backing, String format, long sizeBytes)
            throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of("create", "-f", "qcow2", "-o", "extended_l2=on," + options));
        if (!backing.isEmpty()) {
            words.addAll(List.of("-b", backing, "-F", format));
        }
        Path path = folder.resolve(IMAGE);
        Files.deleteIfExists(path);
        words.addAll(List.of(path.toString(), String.valueOf(sizeBytes)));
        Peer.QEMU_IMG.command(words.toArray(new String[0])).directory(folder).runOk();
        images.brick.put(IMAGE, Files.readAllBytes(path));
    }
}
