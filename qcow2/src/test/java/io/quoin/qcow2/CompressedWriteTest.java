package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images whose clusters were written compressed, judged by QEMU. */
@Timeout(120)
class CompressedWriteTest {
    @TempDir java.nio.file.Path folder;
    private ImageFixture images;
    private long seed;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder);
        seed = RandomOperations.seed();
        System.out.println("compressed writes: seed=" + seed);
    }

    @ParameterizedTest
    @CsvSource({
        "512, zlib, 1.1, 16, 300000",
        "512, zstd, 1.1, 1, 300000",
        "4096, zlib, 0.10, 16, 3000000",
        "4096, zstd, 1.1, 2, 3000000",
        "65536, zlib, 1.1, 16, 9000000",
        "65536, zstd, 1.1, 64, 9000000",
        "65536, zstd, 1.1, 1, 9000000",
        "2097152, zlib, 1.1, 4, 20000000",
        "2097152, zstd, 1.1, 16, 20000000",
    })
    @DisplayName("QCOW2 56, 91, 95: streams share host clusters, each is counted")
    void shouldBeReadByQemuWhenWrittenCompressed(
            int clusterSize, String type, String compat, int refcountBits, int size)
            throws IOException {
        byte[] content = RandomChanges.content(size / 512 * 512, seed);
        create(clusterSize, type, compat, refcountBits, content.length, Map.of());
        ImageFixture volume = images.reordering(seed);
        XlatorFile file = volume.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = volume.driver(file);
        int step = Math.max(1, (1 << 20) / clusterSize) * clusterSize;
        List<FileDriver.Pending> pending = new ArrayList<>();
        for (int at = 0; at < content.length; at += step) {
            byte[] part = Arrays.copyOfRange(content, at, Math.min(content.length, at + step));
            pending.add(driver.startWrite(at, part, IoFlags.COMPRESSED));
        }
        for (FileDriver.Pending write : pending) {
            assertThat(driver.await(write)).isEqualTo(BlockError.OK);
        }
        new ModelDisk(content).checkContent(driver);
        volume.close(file);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(content);
        PeerResult check =
                Peer.QEMU_IMG
                        .command("check", "--output=json", images.export("disk.qcow2").toString())
                        .runOk();
        assertThat(check.stdout()).contains("\"compressed-clusters\": ");
    }

    @ParameterizedTest
    @CsvSource({
        "512, zlib, 1.1, 16, 100000, 40, false",
        "512, zstd, 1.1, 2, 100000, 40, true",
        "4096, zlib, 0.10, 16, 500000, 40, true",
        "4096, zstd, 1.1, 8, 500000, 40, false",
        "65536, zlib, 1.1, 16, 2000000, 20, true",
        "65536, zstd, 1.1, 1, 2000000, 20, false",
        "65536, zstd, 1.1, 4, 2000000, 20, false",
        "2097152, zstd, 1.1, 16, 9000000, 6, false",
        "16384, zlib, extended_l2, 16, 1000000, 40, true",
        "65536, zstd, extended_l2, 16, 2000000, 20, false",
    })
    @DisplayName("QCOW2 92: compressed writes between all other changes leave counts exact")
    void shouldStayCleanWhenCompressedWritesMeetOtherChanges(
            int clusterSize,
            String type,
            String compat,
            int refcountBits,
            int size,
            int steps,
            boolean backing)
            throws IOException {
        byte[] content = new byte[size / 512 * 512];
        Map<String, String> options = new HashMap<>();
        if (backing) {
            byte[] base = RandomChanges.content(content.length / 2, seed + 1);
            System.arraycopy(base, 0, content, 0, base.length / 512 * 512);
            images.brick.put("base.raw", Arrays.copyOf(base, base.length / 512 * 512));
            images.export("base.raw");
            options.put("backing_file", "base.raw");
            options.put("backing_fmt", "raw");
        }
        create(clusterSize, type, compat, refcountBits, content.length, options);
        ModelDisk model = new ModelDisk(content);
        Random random = new Random(seed);
        for (int round = 0; round < 2; round++) {
            ImageFixture volume = images.reordering(seed);
            XlatorFile file = volume.open("disk.qcow2", OpenMode.READ_WRITE);
            FileDriver driver = volume.driver(file);
            RandomOperations operations = RandomChanges.operations(file, seed + round);
            for (int i = 0; i < steps; i++) {
                compressedWrites(driver, model, clusterSize, random);
                model.performAll(driver, operations.next(random.nextInt(4)), 4);
            }
            model.checkContent(driver);
            volume.close(file);
            images.checkClean("disk.qcow2");
            assertThat(images.qemuContent("disk.qcow2"))
                    .isEqualTo(model.content(0, model.sizeBytes()));
        }
    }

    /** A few at once, that do not overlap. */
    private static void compressedWrites(
            FileDriver driver, ModelDisk model, int clusterSize, Random random) {
        int clusters = (model.sizeBytes() + clusterSize - 1) / clusterSize;
        List<FileDriver.Pending> pending = new ArrayList<>();
        int first = random.nextInt(clusters);
        for (int i = random.nextInt(4); i > 0 && first < clusters; i--) {
            int most = Math.min(clusters - first, Math.max(1, (1 << 19) / clusterSize));
            int count = 1 + random.nextInt(Math.min(most, 20));
            int end = Math.min(model.sizeBytes(), (first + count) * clusterSize);
            byte[] data = RandomChanges.content(end - first * clusterSize, random.nextLong());
            int flags = IoFlags.COMPRESSED | (random.nextInt(4) == 0 ? IoFlags.FUA : 0);
            pending.add(driver.startWrite((long) first * clusterSize, data, flags));
            model.write((long) first * clusterSize, data);
            first += count + random.nextInt(3);
        }
        for (FileDriver.Pending write : pending) {
            assertThat(driver.await(write)).isEqualTo(BlockError.OK);
        }
    }

    @Test
    @DisplayName("QCOW2 96: what does not become smaller is stored plain, and zeros not at all")
    void shouldStorePlainWhenACompressedClusterWouldBeNoSmaller() throws IOException {
        create(65536, "zlib", "1.1", 16, 4 << 16, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] content = new byte[4 << 16];
        byte[] noise = new byte[1 << 16];
        new Random(seed).nextBytes(noise);
        System.arraycopy(noise, 0, content, 1 << 16, noise.length);
        Arrays.fill(content, 3 << 16, 4 << 16, (byte) 5);
        assertThat(driver.write(0, content, IoFlags.COMPRESSED)).isEqualTo(BlockError.OK);
        images.close(file);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(content);
        PeerResult map =
                Peer.QEMU_IMG
                        .command("map", "--output=json", images.export("disk.qcow2").toString())
                        .runOk();
        assertThat(map.stdout().lines().filter(line -> line.contains("\"data\": true")))
                .hasSize(3) // zeros are compressed too
                .anyMatch(line -> line.contains("\"offset\""))
                .anyMatch(line -> !line.contains("\"offset\""));
    }

    @Test
    @DisplayName("QCOW2 92: a compressed write over more tables than are kept in memory")
    void shouldLoadTablesAgainWhenACompressedWriteIsLongerThanTheCache() throws IOException {
        create(512, "zlib", "1.1", 16, 600_064, Map.of());
        byte[] content = new byte[600_064];
        ImageFixture small = new ImageFixture(folder, images.brick, Map.of("cache-size", "2048"));
        XlatorFile file = small.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = small.driver(file);
        for (int at = 0; at < content.length; at += 32_768) {
            driver.write(at, new byte[] {1});
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
        }
        small.close(file);
        XlatorFile again = small.open("disk.qcow2", OpenMode.READ_WRITE);
        driver = small.driver(again);
        Arrays.fill(content, (byte) 3);
        assertThat(driver.write(0, content, IoFlags.COMPRESSED)).isEqualTo(BlockError.OK);
        new ModelDisk(content).checkContent(driver);
        small.close(again);
        images.checkClean("disk.qcow2");
        assertThat(images.qemuContent("disk.qcow2")).isEqualTo(content);
    }

    @Test
    void shouldRefuseACompressedWriteOfPartsOfClusters() throws IOException {
        create(65536, "zlib", "1.1", 16, 100_352, Map.of());
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] data = new byte[512];
        assertThat(driver.write(0, data, IoFlags.COMPRESSED)).isEqualTo(BlockError.EINVAL);
        assertThat(driver.write(512, data, IoFlags.COMPRESSED)).isEqualTo(BlockError.EINVAL);
        data = new byte[100_352 - 65_536];
        Arrays.fill(data, (byte) 9);
        assertThat(driver.write(65_536, data, IoFlags.COMPRESSED)).isEqualTo(BlockError.OK);
        assertThat(driver.read(65_536, data.length)).isEqualTo(data);
        images.close(file);
        images.checkClean("disk.qcow2");
    }

    private void create(
            int clusterSize,
            String type,
            String compat,
            int refcountBits,
            int sizeBytes,
            Map<String, String> more) {
        Map<String, String> options = new HashMap<>(more);
        options.put("cluster_size", String.valueOf(clusterSize));
        boolean extended = compat.equals("extended_l2");
        options.put("compat", extended ? "1.1" : compat);
        options.put("extended_l2", extended ? "on" : "off");
        options.put("refcount_bits", String.valueOf(refcountBits));
        options.put("compression_type", type);
        images.create("disk.qcow2", sizeBytes, options);
    }
}
