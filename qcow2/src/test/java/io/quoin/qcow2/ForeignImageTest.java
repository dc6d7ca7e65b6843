package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
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
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that QEMU made are read the same, written so that QEMU agrees, or refused. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class ForeignImageTest {
    private static final int SIZE = 1 << 20;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8, 16, 32, 64})
    @DisplayName("QCOW2 52, 53, 55: counts of every width are read and written")
    void shouldKeepRefcountsOfAnyWidth(int bits) throws IOException {
        ModelDisk model = make("cluster_size=4k,refcount_bits=" + bits);
        change(model, 60);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(model.content(0, SIZE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=512", "cluster_size=4k", "cluster_size=64k,compat=0.10"})
    @DisplayName("QCOW2 56, 75, 80: a shared cluster is never written in place")
    void shouldCopyOnWriteWhenAnInternalSnapshotSharesClusters(String options) throws IOException {
        ModelDisk model = make(options);
        Path path = folder.resolve("disk.qcow2");
        Peer.QEMU_IMG.command("snapshot", "-c", "before", path.toString()).runOk();
        images.brick.put("disk.qcow2", Files.readAllBytes(path));
        byte[] before = model.content(0, SIZE);
        change(model, 40);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(model.content(0, SIZE));
        Path old = folder.resolve("before.raw");
        Peer.QEMU_IMG
                .command("convert", "-l", "before", "-O", "raw", path.toString(), old.toString())
                .runOk();
        assertThat(Files.readAllBytes(old)).isEqualTo(before);
    }

    @Test
    @DisplayName("QCOW2 29: unknown autoclear bits go with the first write only")
    void shouldClearAutoclearBitsBeforeTheFirstWriteOnly() throws IOException {
        make("cluster_size=64k");
        byte[] bytes = images.brick.content("disk.qcow2");
        bytes[88] = 0x40;
        images.brick.put("disk.qcow2", bytes);
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.read(0, 4096);
        assertThat(images.brick.content("disk.qcow2")[88]).isEqualTo((byte) 0x40);
        driver.write(0, new byte[] {1});
        assertThat(images.brick.content("disk.qcow2")[88]).isZero();
        assertThat(images.isMarked("disk.qcow2")).as("of a writer that may leave leaks").isTrue();
        images.close(file);
        assertThat(images.isMarked("disk.qcow2")).as("when closed").isFalse();
        images.checkClean("disk.qcow2");
    }

    @Test
    @DisplayName("QCOW2 68, 127: the corrupt bit is set at once, writes end, reads go on")
    void shouldSetTheCorruptBitAndRefuseWritesWhenAnEntryCannotBe() throws IOException {
        make("cluster_size=64k");
        byte[] bytes = images.brick.content("disk.qcow2");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        long l2 = buffer.getLong((int) buffer.getLong(40)) & 0x00ff_ffff_ffff_fe00L;
        buffer.putLong((int) l2, buffer.getLong((int) l2) + 512);
        images.brick.put("disk.qcow2", bytes);
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(driver.await(driver.startRead(0, 4096))).isEqualTo(BlockError.EIO);
        assertThat(driver.write(SIZE / 2, new byte[512], 0)).isEqualTo(BlockError.EIO);
        assertThat(driver.read(SIZE - 4096, 4096)).hasSize(4096);
        assertThat(images.brick.content("disk.qcow2")[79]).isEqualTo((byte) 2);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
        assertThatThrownBy(() -> images.open("disk.qcow2", OpenMode.READ_WRITE))
                .hasMessageContaining("corrupt");
    }

    @Test
    @DisplayName("QCOW2 62: data is not written over metadata")
    void shouldNotWriteOverMetadataWhenAnEntryPointsThere() throws IOException {
        make("cluster_size=64k");
        byte[] bytes = images.brick.content("disk.qcow2");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        long l1Offset = buffer.getLong(40);
        long l2 = buffer.getLong((int) l1Offset) & 0x00ff_ffff_ffff_fe00L;
        buffer.putLong((int) l2, l1Offset | 1L << 63);
        images.brick.put("disk.qcow2", bytes);
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        assertThat(images.driver(file).write(0, new byte[512], 0)).isEqualTo(BlockError.EIO);
        byte[] after = images.brick.content("disk.qcow2");
        assertThat(Arrays.copyOfRange(after, (int) l1Offset, (int) l1Offset + 512))
                .isEqualTo(Arrays.copyOfRange(bytes, (int) l1Offset, (int) l1Offset + 512));
    }

    @Test
    @DisplayName("QCOW2 57: a count below its references is not lowered past 0 but corruption")
    void shouldReportCorruptionWhenACountWouldFallBelowZero() throws IOException {
        make("cluster_size=64k");
        byte[] bytes = images.brick.content("disk.qcow2");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int block = (int) buffer.getLong((int) buffer.getLong(48));
        int l2 = (int) (buffer.getLong((int) buffer.getLong(40)) & 0x00ff_ffff_ffff_fe00L);
        int cluster = (int) ((buffer.getLong(l2) & 0x00ff_ffff_ffff_fe00L) >>> 16);
        buffer.putShort(block + 2 * cluster, (short) 0);
        images.brick.put("disk.qcow2", bytes);
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(driver.discard(0, 65536)).isEqualTo(BlockError.OK);
        driver.flush();
        images.loops.runReady();
        assertThat(driver.write(0, new byte[512], 0)).isEqualTo(BlockError.EIO);
        assertThat(images.brick.content("disk.qcow2")[79]).isEqualTo((byte) 2);
        assertThat(images.brick.content("disk.qcow2")[block + 2 * cluster + 1]).isZero();
        assertThat(file.details().get("refuses-writes").toString()).contains("refcount");
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    /** An image by QEMU with some data in it, put into the brick. */
    private ModelDisk make(String options) throws IOException {
        Path path = folder.resolve("disk.qcow2");
        Peer.QEMU_IMG
                .command("create", "-f", "qcow2", "-o", options, path.toString(), SIZE + "")
                .runOk();
        Peer.QEMU_IO
                .command(
                        "-c",
                        "write -P 1 0 100000",
                        "-c",
                        "write -P 2 300000 5000",
                        "-c",
                        "write -z 20480 40960",
                        path.toString())
                .runOk();
        images.brick.put("disk.qcow2", Files.readAllBytes(path));
        byte[] content = new byte[SIZE];
        Arrays.fill(content, 0, 100_000, (byte) 1);
        Arrays.fill(content, 300_000, 305_000, (byte) 2);
        Arrays.fill(content, 20_480, 61_440, (byte) 0);
        return new ModelDisk(content);
    }

    private void change(ModelDisk model, int count) {
        long seed = RandomOperations.seed();
        ImageFixture reordering =
                new ImageFixture(
                        folder,
                        images.brick,
                        new io.quoin.testkit.fault.ReorderingXlator("r", images.brick, seed),
                        Map.of());
        XlatorFile file = reordering.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = reordering.driver(file);
        model.checkContent(driver);
        RandomOperations operations =
                new RandomOperations(seed, file.geometry(), file.capabilities(), 100_000);
        model.performAll(driver, operations.next(count), 6);
        reordering.close(file);
    }
}
