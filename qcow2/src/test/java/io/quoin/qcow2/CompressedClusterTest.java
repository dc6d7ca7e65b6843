package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compressed images that QEMU made: read, and changed so that QEMU agrees. */
@Timeout(120)
class CompressedClusterTest {
    @TempDir Path folder;
    private ImageFixture images;
    private RandomChanges changes;
    private long seed;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder);
        changes = new RandomChanges(folder, images, "disk.qcow2");
        seed = RandomOperations.seed();
        System.out.println("compressed clusters: seed=" + seed);
    }

    @ParameterizedTest
    @CsvSource({
        "512, zlib, 1.1, 300000",
        "512, zstd, 1.1, 300000",
        "4096, zlib, 0.10, 2000000",
        "4096, zstd, 1.1, 2000000",
        "65536, zlib, 1.1, 5000000",
        "65536, zstd, 1.1, 5000000",
        "2097152, zlib, 1.1, 12000000",
        "2097152, zstd, 1.1, 12000000",
        "16384, zlib, '1.1,extended_l2=on', 2000000",
        "65536, zstd, '1.1,extended_l2=on', 5000000",
    })
    @DisplayName("QCOW2 20, 27: clusters of either compression type read as in QEMU")
    void shouldReadWhatQemuCompressed(int clusterSize, String type, String compat, int size)
            throws IOException {
        byte[] content = RandomChanges.content(size / 512 * 512, seed);
        make(clusterSize, type, compat, content);
        for (boolean reordering : new boolean[] {false, true}) {
            ImageFixture volume = reordering ? images.reordering(seed) : images;
            XlatorFile file = volume.open("disk.qcow2", OpenMode.READ_ONLY);
            FileDriver driver = volume.driver(file);
            new ModelDisk(content).checkContent(driver);
            Random random = new Random(seed);
            for (int i = 0; i < 50; i++) {
                int at = random.nextInt(content.length - 1);
                int length = 1 + random.nextInt(Math.min(3 * clusterSize, content.length - at));
                assertThat(driver.read(at, length))
                        .isEqualTo(java.util.Arrays.copyOfRange(content, at, at + length));
            }
            volume.close(file);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "512, zlib, 0.10, 16, 200000, 150",
        "512, zstd, 1.1, 8, 200000, 150",
        "4096, zlib, 1.1, 16, 2000000, 150",
        "4096, zstd, 1.1, 64, 2000000, 150",
        "65536, zlib, 1.1, 16, 5000000, 150",
        "65536, zstd, 1.1, 4, 5000000, 100",
        "65536, zlib, 0.10, 16, 5000000, 100",
        "2097152, zstd, 1.1, 16, 20000000, 60",
        "16384, zlib, '1.1,extended_l2=on', 16, 2000000, 150",
        "65536, zstd, '1.1,extended_l2=on', 16, 5000000, 100",
    })
    @DisplayName(
            "QCOW2 92: a change of a compressed cluster goes elsewhere and drops its references")
    void shouldStayCleanWhenCompressedClustersAreChanged(
            int clusterSize, String type, String compat, int refcountBits, int size, int count)
            throws IOException {
        byte[] content = RandomChanges.content(size / 512 * 512, seed);
        make(clusterSize, type, compat + ",refcount_bits=" + refcountBits, content);
        ModelDisk model = new ModelDisk(content);
        for (int round = 0; round < 2; round++) {
            changes.byQuoin(model, count, seed + round);
            changes.checkByQemu(model);
        }
    }

    /** An image by qemu-img with every cluster compressed that can be. */
    private void make(int clusterSize, String type, String options, byte[] content)
            throws IOException {
        Path raw = folder.resolve("source.raw");
        Path path = folder.resolve("disk.qcow2");
        Files.write(raw, content);
        List<String> command = new ArrayList<>(List.of("convert", "-c", "-O", "qcow2", "-o"));
        String typed = type.equals("zlib") ? "" : ",compression_type=" + type;
        command.add("cluster_size=" + clusterSize + ",compat=" + options + typed);
        command.add(raw.toString());
        command.add(path.toString());
        Peer.QEMU_IMG.command(command.toArray(new String[0])).runOk();
        images.brick.put("disk.qcow2", Files.readAllBytes(path));
    }
}
