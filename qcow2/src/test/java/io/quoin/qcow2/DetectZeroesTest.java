package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Writes of zeros become zero clusters, with the same content. */
@Timeout(60)
class DetectZeroesTest {
    private static final int CLUSTER = 16 << 10;
    private static final int SIZE = 64 * CLUSTER;
    private static final String NAME = "disk.qcow2";

    @TempDir Path folder;

    private XlatorFile open(ImageFixture images) {
        images.create(NAME, SIZE, Map.of("cluster_size", "" + CLUSTER));
        return images.open(NAME, OpenMode.READ_WRITE);
    }

    private ImageFixture images(String mode) {
        return ImageFixture.reordering(folder, 1, Map.of("detect-zeroes", mode));
    }

    @ParameterizedTest
    @CsvSource({"off, 4, 0", "on, 1, 3", "unmap, 1, 3"})
    void shouldMakeZeroClustersOfThoseThatAreZerosWhenItIsOn(String mode, int data, int zeros) {
        ImageFixture images = images(mode);
        XlatorFile file = open(images);
        FileDriver driver = images.driver(file);
        byte[] ones = new byte[4 * CLUSTER];
        Arrays.fill(ones, (byte) 1);
        driver.write(0, ones);
        byte[] mixed = new byte[4 * CLUSTER];
        mixed[2 * CLUSTER - 1] = 1;
        long flushes = images.brick.flushCount(NAME);
        assertThat(driver.write(0, mixed, IoFlags.FUA)).isEqualTo(BlockError.OK);
        assertThat(images.brick.flushCount(NAME)).isGreaterThan(flushes);
        assertThat(driver.read(0, 4 * CLUSTER)).isEqualTo(mixed);
        ExtentList extents = driver.status(0, 4 * CLUSTER, IoFlags.NONE);
        int found = 0;
        int holes = 0;
        for (int i = 0; i < extents.count(); i++) {
            boolean zero = (extents.status(i) & BlockStatus.ZERO) != 0;
            found += zero ? (int) (extents.extentLengthBytes(i) / CLUSTER) : 0;
            holes += (extents.status(i) & BlockStatus.HOLE) != 0 ? 1 : 0;
        }
        assertThat(found).isEqualTo(zeros);
        assertThat(holes > 0).isEqualTo(mode.equals("unmap"));
        assertThat(4 - found).isEqualTo(data);
        images.close(file);
    }

    @ParameterizedTest
    @CsvSource({"on", "unmap"})
    void shouldReadWhatWasWrittenWhenZerosAreMixedIn(String mode) throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("detect zeroes: seed=" + seed);
        Random random = new Random(seed);
        ImageFixture images = images(mode);
        XlatorFile file = open(images);
        FileDriver driver = images.driver(file);
        byte[] model = new byte[SIZE];
        for (int i = 0; i < 200; i++) {
            int offset = random.nextInt(SIZE / 512) * 512;
            int length = Math.min(SIZE - offset, (1 + random.nextInt(256)) * 512);
            byte[] data = new byte[length];
            for (int at = 0; at < length; at += 8192) {
                if (random.nextBoolean()) {
                    data[Math.min(length - 1, at + random.nextInt(8192))] = (byte) i;
                }
            }
            driver.write(offset, data);
            System.arraycopy(data, 0, model, offset, length);
        }
        assertThat(driver.read(0, SIZE)).as("seed=%d", seed).isEqualTo(model);
        images.close(file);
        if (Peer.QEMU_IMG.available()) {
            images.checkClean(NAME);
            assertThat(images.qemuContent(NAME)).isEqualTo(model);
        }
    }
}
