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
import java.nio.charset.StandardCharsets;
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

/** Images whose data are in a file of their own, made by QEMU and judged by it. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class DataFileTest {
    private static final String IMAGE = "disk.qcow2";
    private static final String DATA = "disk.data";
    private static final int CLUSTER = 65536;
    private static final int RAW_BIT = 2;

    @TempDir Path folder;
    private ImageFixture images;
    private RandomChanges changes;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
        changes = new RandomChanges(folder, images, IMAGE, DATA);
    }

    @ParameterizedTest
    @DisplayName("QCOW2 26, 69: external data files are read and written as by QEMU")
    @CsvSource({
        "cluster_size=4k, false, 2000000, 120",
        "cluster_size=64k, false, 4000000, 120",
        "cluster_size=64k, true, 4000000, 120",
        "'cluster_size=64k,extended_l2=on', false, 4000000, 120",
        "'cluster_size=16k,extended_l2=on', true, 4000000, 120",
        "'cluster_size=4k,data_file_raw=on', false, 2000000, 120",
        "'cluster_size=64k,data_file_raw=on', false, 4000000, 120",
        "'cluster_size=64k,extended_l2=on,data_file_raw=on', false, 4000000, 120",
    })
    void shouldReadBackWhatWasWrittenWhenTheDataAreInAnotherFile(
            String options, boolean backing, int size, int count) throws IOException {
        long seed = RandomOperations.seed();
        int sizeBytes = size / 512 * 512;
        boolean raw = options.contains("data_file_raw");
        byte[] content = new byte[sizeBytes];
        byte[] base = new byte[backing ? sizeBytes * 2 / 3 / 512 * 512 : 0];
        new Random(seed).nextBytes(base);
        System.arraycopy(base, 0, content, 0, base.length);
        create(options, base, sizeBytes);
        ModelDisk model = new ModelDisk(content);
        int dataSize = images.brick.content(DATA).length;
        for (int round = 0; round < 3; round++) {
            changes.byQemu(model, new Random(seed + round));
            changes.byQuoin(model, count, seed + round);
            changes.checkByQemu(model);
            if (raw) {
                // QEMU made it as long as whole clusters.
                assertThat(images.brick.content(DATA)).hasSize(dataSize);
                RandomChanges.same(
                        Arrays.copyOf(images.brick.content(DATA), sizeBytes),
                        model.content(0, sizeBytes));
                assertThat(images.brick.content(IMAGE)[95]).isEqualTo((byte) RAW_BIT);
            }
        }
    }

    @ParameterizedTest
    @DisplayName("QCOW2 26, 139: the data file grows with the image, zeros in its new part")
    @CsvSource({"false, 100000, 1000000", "true, 100000, 1000000", "true, 131072, 40000000"})
    void shouldGrowTheDataFileWhenTheImageGrows(boolean raw, int from, int to) throws IOException {
        int oldSize = from / 512 * 512;
        int newSize = to / 512 * 512;
        create("cluster_size=4k,data_file_raw=" + (raw ? "on" : "off"), new byte[0], oldSize);
        // What was left behind the end of the disk.
        byte[] longer = Arrays.copyOf(images.brick.content(DATA), oldSize + 30_000);
        Arrays.fill(longer, oldSize, longer.length, (byte) 7);
        images.brick.put(DATA, longer);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        ModelDisk model = new ModelDisk(oldSize);
        byte[] data = {1, 2, 3, 4};
        driver.write(oldSize - 4, data);
        model.write(oldSize - 4, data);
        images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
        model.resize(newSize);
        model.checkContent(driver);
        driver.write(newSize - 4, data);
        model.write(newSize - 4, data);
        images.close(file);
        changes.checkByQemu(model);
        if (raw) {
            RandomChanges.same(images.brick.content(DATA), model.content(0, newSize));
        }
    }

    @ParameterizedTest
    @DisplayName("QCOW2 26, 139: the data file shrinks with the image")
    @CsvSource({"false, 1000000, 100000", "true, 1000000, 100000", "true, 4000000, 131072"})
    void shouldShortenTheDataFileWhenTheImageShrinks(boolean raw, int from, int to)
            throws IOException {
        int oldSize = from / 512 * 512;
        int newSize = to / 512 * 512;
        create("cluster_size=4k,data_file_raw=" + (raw ? "on" : "off"), new byte[0], oldSize);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] data = new byte[300_000];
        Arrays.fill(data, (byte) 5);
        driver.write(0, data);
        driver.write(oldSize - data.length, data);
        images.loops.await(images.loops.loop(0).call(() -> file.shrink(newSize)));
        assertThat(images.brick.content(DATA)).hasSize(newSize);
        RandomChanges.same(driver.read(0, newSize), Arrays.copyOf(data, newSize));
        images.loops.await(images.loops.loop(0).call(() -> file.resize(oldSize)));
        ModelDisk model = new ModelDisk(oldSize);
        model.write(0, Arrays.copyOf(data, newSize));
        model.checkContent(driver);
        images.close(file);
        changes.checkByQemu(model);
    }

    @Test
    @DisplayName("QCOW2 128: a flush reaches both files, the data before the entries")
    void shouldFlushBothFilesWhenTheGuestFlushes() throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[CLUSTER]);
        assertThat(images.brick.isUnflushed(DATA)).isTrue();
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(images.brick.isUnflushed(DATA)).isFalse();
        assertThat(images.brick.isUnflushed(IMAGE)).isFalse();
        driver.write(512, new byte[512]);
        assertThat(images.brick.isUnflushed(DATA)).isTrue();
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(images.brick.isUnflushed(DATA)).isFalse();
        assertThat(driver.write(2 * CLUSTER, new byte[512], IoFlags.FUA)).isEqualTo(BlockError.OK);
        assertThat(images.brick.isUnflushed(DATA)).isFalse();
        assertThat(images.brick.isUnflushed(IMAGE)).isFalse();
        images.close(file);
    }

    @Test
    @DisplayName("QCOW2 137: a discard gives back room of the data file and leaves no data in it")
    void shouldPunchTheDataFileWhenClustersAreDiscarded() throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] ones = new byte[4 * CLUSTER];
        Arrays.fill(ones, (byte) 1);
        driver.write(0, ones);
        assertThat(driver.discard(CLUSTER, CLUSTER)).isEqualTo(BlockError.OK);
        byte[] data = images.brick.content(DATA);
        assertThat(Arrays.copyOfRange(data, CLUSTER, 2 * CLUSTER)).containsOnly(0);
        assertThat(driver.zero(2 * CLUSTER, CLUSTER, 0)).isEqualTo(BlockError.OK);
        assertThat(driver.read(CLUSTER, 2 * CLUSTER)).containsOnly(0);
        int hole = BlockStatus.HOLE | BlockStatus.ZERO;
        assertThat(driver.status(0, 4 * CLUSTER, IoFlags.NONE))
                .hasToString("[65536:0, 65536:" + hole + ", 65536:2, 65536:0]");
        images.close(file);
        changes.export();
        images.checkClean(IMAGE);
    }

    @ParameterizedTest
    @DisplayName("QCOW2 47: a data file outside of the volume is refused")
    @ValueSource(
            strings = {"/etc/passwd", "../disk.data", "nbd:localhost", ".disk.new", "a\\b.data"})
    void shouldRefuseDataFileNamesThatLeaveTheVolume(String name) throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        rename(name);
        for (OpenMode mode : OpenMode.values()) {
            assertThatThrownBy(() -> images.open(IMAGE, mode))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EPERM))
                    .hasMessageContaining("data file");
        }
    }

    @Test
    @DisplayName("QCOW2 47, 48: an image is not its own data file, and a missing one is named")
    void shouldRefuseADataFileThatCannotBe() throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        rename(IMAGE);
        assertThatThrownBy(() -> images.open(IMAGE, OpenMode.READ_WRITE))
                .hasMessageContaining("data file is an image of its own chain");
        rename("nothing.data");
        assertThatThrownBy(() -> images.open(IMAGE, OpenMode.READ_WRITE))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOENT))
                .hasMessageContaining("nothing.data");
        // The image's own file was closed.
        rename(DATA);
        images.close(images.open(IMAGE, OpenMode.READ_WRITE));
    }

    @ParameterizedTest
    @DisplayName(
            "QCOW2 26: an entry that is not of its own guest cluster, or compressed, ends in EIO")
    @ValueSource(strings = {"8000000000020000", "4000000000010000", "8000000000010200"})
    void shouldSetTheCorruptBitWhenAnEntryPointsElsewhere(String entry) throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        changes.qemuIo("write -P 1 0 256k");
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(IMAGE));
        int l2 = (int) (bytes.getLong((int) bytes.getLong(40)) & 0x00ff_ffff_ffff_fe00L);
        assertThat(bytes.getLong(l2)).as("offset 0 with COPIED").isEqualTo(1L << 63);
        bytes.putLong(l2 + 8, Long.parseUnsignedLong(entry, 16));
        images.brick.put(IMAGE, bytes.array());
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(driver.read(0, 4096)).containsOnly(1);
        assertThat(driver.await(driver.startRead(CLUSTER, 512))).isEqualTo(BlockError.EIO);
        assertThat(images.brick.content(IMAGE)[79] & 2).isEqualTo(2);
        assertThat(driver.write(0, new byte[512], 0)).isEqualTo(BlockError.EIO);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    @DisplayName("QCOW2 71: what a data file is too short for reads as zeros and can be written")
    void shouldReadZerosWhenTheDataFileIsShort() throws IOException {
        create("cluster_size=64k", new byte[0], 1 << 20);
        changes.qemuIo("write -P 1 0 256k");
        images.brick.put(DATA, Arrays.copyOf(images.brick.content(DATA), 100_000));
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] expected = new byte[1 << 20];
        Arrays.fill(expected, 0, 100_000, (byte) 1);
        ModelDisk model = new ModelDisk(expected);
        model.checkContent(driver);
        byte[] data = {1, 2, 3};
        driver.write(200_000, data);
        model.write(200_000, data);
        driver.write(900_000, data);
        model.write(900_000, data);
        model.checkContent(driver);
        images.close(file);
        changes.checkByQemu(model);
    }

    private void create(String options, byte[] base, long sizeBytes) throws IOException {
        List<String> words = new ArrayList<>(List.of("create", "-f", "qcow2"));
        words.addAll(List.of("-o", "data_file=" + DATA + "," + options));
        if (base.length > 0) {
            images.brick.put("base.raw", base);
            images.export("base.raw");
            words.addAll(List.of("-b", "base.raw", "-F", "raw"));
        }
        words.addAll(List.of(IMAGE, String.valueOf(sizeBytes)));
        Peer.QEMU_IMG.command(words.toArray(new String[0])).directory(folder).runOk();
        changes.take();
    }

    /** Puts another name into the header's extension; it must not be longer than the area. */
    private void rename(String name) {
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(IMAGE));
        int at = bytes.getInt(100);
        while (bytes.getInt(at) != 0x44415441) {
            at += 8 + ((bytes.getInt(at + 4) + 7) & ~7);
        }
        byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
        int room = (bytes.getInt(at + 4) + 7) & ~7;
        byte[] area = bytes.array();
        int rest = at + 8 + room;
        byte[] behind = Arrays.copyOfRange(area, rest, rest + 2048);
        bytes.putInt(at + 4, encoded.length);
        int padded = (encoded.length + 7) & ~7;
        Arrays.fill(area, at + 8, at + 8 + padded, (byte) 0);
        System.arraycopy(encoded, 0, area, at + 8, encoded.length);
        System.arraycopy(behind, 0, area, at + 8 + padded, behind.length);
        images.brick.put(IMAGE, area);
    }
}
