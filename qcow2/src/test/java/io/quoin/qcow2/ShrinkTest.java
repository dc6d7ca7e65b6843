package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Images become smaller, by a call of its own only, and larger again with zeros in the new part.
 */
@Timeout(120)
class ShrinkTest {
    private static final String NAME = "disk.qcow2";

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 1.1, 3000320, 700416, false",
        "512, 1.1, 3000320, 1024, true",
        "512, 0.10, 3000320, 65536, false",
        "4096, 1.1, 6000128, 2097152, true",
        "4096, 1.1, 6000128, 0, false",
        "65536, 1.1, 3000320, 2900480, true",
    })
    @DisplayName("QCOW2 139: shrink discards beyond the new end, then the size, then the tables")
    void shouldKeepWhatIsLeftAndForgetTheRestWhenItShrinks(
            int clusterSize, String compat, int from, int to, boolean backing) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        byte[] content = create(clusterSize, compat, from, backing);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        shrink(file, to);
        assertThat(file.geometry().sizeBytes()).isEqualTo(to);
        byte[] left = Arrays.copyOf(content, to);
        if (to > 0) {
            assertThat(Arrays.mismatch(images.driver(file).read(0, to), left)).isEqualTo(-1);
        }
        images.close(file);
        images.checkClean(NAME);
        assertThat(Arrays.mismatch(images.qemuContent(NAME), left)).isEqualTo(-1);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(images.loops.loop(0).call(() -> again.resize(from)));
        byte[] grown = Arrays.copyOf(left, from);
        assertThat(Arrays.mismatch(images.driver(again).read(0, from), grown)).isEqualTo(-1);
        images.close(again);
        images.checkClean(NAME);
        assertThat(Arrays.mismatch(images.qemuContent(NAME), grown)).isEqualTo(-1);
    }

    @Test
    @DisplayName("QCOW2 139: the file loses the clusters of what went")
    void shouldGiveRoomBackWhenItShrinks() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        create(65536, "1.1", 8 << 20, false);
        int before = images.brick.content(NAME).length;
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        shrink(file, 1 << 20);
        images.close(file);
        assertThat(images.brick.content(NAME).length).isLessThan(before - (5 << 20));
        images.checkClean(NAME);
    }

    @Test
    @DisplayName("QCOW2 139: writes that were under way end before the shrink")
    void shouldLetWritesEndWhenItShrinksUnderThem() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        long seed = RandomOperations.seed();
        create(4096, "1.1", 4 << 20, false);
        ImageFixture slow =
                new ImageFixture(
                        folder,
                        images.brick,
                        new io.quoin.testkit.fault.ReorderingXlator("r", images.brick, seed),
                        Map.of());
        XlatorFile file = slow.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = slow.driver(file);
        Pending inside = driver.startWrite(0, new byte[100_000], IoFlags.NONE);
        Pending across = driver.startWrite((1 << 20) - 4096, new byte[200_000], IoFlags.NONE);
        Pending behind = driver.startWrite(3 << 20, new byte[100_000], IoFlags.NONE);
        CompletionStage<Void> shrunk = slow.loops.loop(0).call(() -> file.shrink(1 << 20));
        assertThat(driver.await(inside)).isEqualTo(BlockError.OK);
        assertThat(driver.await(across)).isEqualTo(BlockError.OK);
        assertThat(driver.await(behind)).isEqualTo(BlockError.OK);
        slow.loops.await(shrunk);
        slow.close(file);
        slow.checkClean(NAME);
    }

    @Test
    void shouldRefuseByResizeAndLargerSizesByShrink() {
        images.create(NAME, 1 << 20, Map.of());
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThatThrownBy(() -> images.loops.await(file.resize(512)))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP));
        assertThatThrownBy(() -> images.loops.await(file.shrink(2 << 20)))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL));
        images.close(file);
    }

    @ParameterizedTest
    @CsvSource({"0.10, true", "1.1, false"})
    @DisplayName("QCOW2 107, 140: the size of a version 2 image with snapshots does not change")
    void shouldRefuseVersion2WithSnapshots(String compat, boolean refused) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        create(65536, compat, 1 << 20, false);
        Path path = images.export(NAME);
        Peer.QEMU_IMG.command("snapshot", "-c", "before", path.toString()).runOk();
        images.brick.put(NAME, Files.readAllBytes(path));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        if (refused) {
            assertThatThrownBy(() -> images.loops.await(file.shrink(65536)))
                    .hasMessageContaining("snapshots");
        } else {
            shrink(file, 65536);
        }
        images.close(file);
        images.checkClean(NAME);
    }

    private void shrink(XlatorFile file, long newSizeBytes) {
        images.loops.await(images.loops.loop(0).call(() -> file.shrink(newSizeBytes)));
    }

    private byte[] create(int clusterSize, String compat, int size, boolean backing)
            throws IOException {
        long seed = RandomOperations.seed();
        Map<String, String> options = new HashMap<>();
        options.put("cluster_size", String.valueOf(clusterSize));
        options.put("compat", compat);
        byte[] content = new byte[size];
        if (backing) {
            new Random(seed).nextBytes(content);
            images.brick.put("base.raw", content);
            images.export("base.raw");
            options.put("backing_file", "base.raw");
            options.put("backing_fmt", "raw");
        }
        images.create(NAME, size, options);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        for (int at = 0; at + 100_000 < size; at += backing ? 300_000 : 100_000) {
            byte[] data = new byte[100_000];
            Arrays.fill(data, (byte) (at / 100_000 + 1));
            driver.write(at, data);
            System.arraycopy(data, 0, content, at, data.length);
        }
        images.close(file);
        return content;
    }
}
