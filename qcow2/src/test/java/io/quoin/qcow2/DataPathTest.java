package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random operations against a model, judged by QEMU's tools. */
@Timeout(120)
class DataPathTest {
    private static final int ROUNDS = 3;

    @TempDir Path folder;

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 1.1, none, 300000, 150",
        "512, 0.10, none, 300000, 150",
        "512, 1.1, qcow2, 300000, 150",
        "512, 0.10, raw, 300000, 150",
        "4096, 1.1, none, 3000000, 150",
        "4096, 0.10, qcow2, 3000000, 150",
        "4096, 1.1, raw, 3000000, 150",
        "65536, 1.1, none, 9000000, 150",
        "65536, 0.10, none, 9000000, 100",
        "65536, 1.1, qcow2, 9000000, 150",
        "65536, 0.10, qcow2, 9000000, 100",
        "2097152, 1.1, none, 20000000, 60",
        "2097152, 1.1, qcow2, 20000000, 60",
        "2097152, 0.10, raw, 20000000, 60",
    })
    @DisplayName("QCOW2 10, 45, 80, 136, 137, 138: random operations read back and are clean")
    void shouldReadBackWhatWasWrittenWhenOperationsOverlap(
            int clusterSize, String compat, String backing, int size, int count)
            throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("data path: seed=" + seed);
        // Four tables at a time, so that they come and go.
        Map<String, String> small = Map.of("cache-size", String.valueOf(4 * clusterSize));
        ImageFixture images =
                ImageFixture.reordering(folder, seed, clusterSize <= 4096 ? small : Map.of());
        int sizeBytes = size / 512 * 512;
        ModelDisk model = create(images, clusterSize, compat, backing, sizeBytes, seed);
        for (int round = 0; round < ROUNDS; round++) {
            XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
            FileDriver driver = images.driver(file);
            RandomOperations operations =
                    new RandomOperations(
                            seed + round, file.geometry(), file.capabilities(), 400_000);
            model.performAll(driver, operations.next(count), 8);
            images.close(file);
            images.checkClean("disk.qcow2");
            assertThat(images.qemuContent("disk.qcow2"))
                    .isEqualTo(model.content(0, model.sizeBytes()));
        }
    }

    private ModelDisk create(
            ImageFixture images,
            int clusterSize,
            String compat,
            String backing,
            int sizeBytes,
            long seed)
            throws IOException {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("cluster_size", String.valueOf(clusterSize));
        options.put("compat", compat);
        byte[] content = new byte[sizeBytes];
        if (!backing.equals("none")) {
            int backingSize = sizeBytes * 2 / 3 / 512 * 512;
            byte[] base = new byte[backingSize];
            new Random(seed).nextBytes(base);
            System.arraycopy(base, 0, content, 0, backingSize);
            String name = "base." + backing;
            if (backing.equals("raw")) {
                images.brick.put(name, base);
            } else {
                images.create(name, backingSize, Map.of("cluster_size", "4096"));
                XlatorFile file = images.open(name, OpenMode.READ_WRITE);
                images.driver(file).write(0, base);
                images.close(file);
                images.checkClean(name);
            }
            images.export(name);
            options.put("backing_file", name);
            options.put("backing_fmt", backing);
        }
        images.create("disk.qcow2", sizeBytes, options);
        images.checkClean("disk.qcow2");
        return new ModelDisk(content);
    }
}
