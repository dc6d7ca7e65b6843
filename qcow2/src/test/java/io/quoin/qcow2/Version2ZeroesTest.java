package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** WRITE_ZEROES of an image that has no zero flag, and nothing behind it. */
@Timeout(60)
class Version2ZeroesTest {
    private static final String NAME = "disk.qcow2";
    private static final int CLUSTER = 65536;
    private static final int SIZE = 8 * CLUSTER;
    private static final String HOLE = String.valueOf(BlockStatus.HOLE | BlockStatus.ZERO);
    private static final String DATA = String.valueOf(BlockStatus.DATA);

    @TempDir Path folder;
    private ImageFixture images;
    private XlatorFile file;
    private FileDriver driver;
    private byte[] content;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder);
        images.create(
                NAME, SIZE, Map.of("compat", "0.10", "cluster_size", String.valueOf(CLUSTER)));
        file = images.open(NAME, OpenMode.READ_WRITE);
        driver = images.driver(file);
        content = new byte[SIZE];
        Arrays.fill(content, 0, 4 * CLUSTER, (byte) 7);
        driver.write(0, Arrays.copyOf(content, 4 * CLUSTER));
    }

    @AfterEach
    void check() throws IOException {
        assertThat(Arrays.mismatch(driver.read(0, SIZE), content)).isEqualTo(-1);
        images.close(file);
        images.checkClean(NAME);
        assertThat(Arrays.mismatch(images.qemuContent(NAME), content)).isEqualTo(-1);
    }

    @Test
    @DisplayName("QCOW2 81: zeroes that may not unmap keep the place of what they zero")
    void shouldKeepClustersWhenZeroesMayNotUnmap() {
        assertThat(driver.zero(CLUSTER, 5 * CLUSTER, IoFlags.NONE)).isEqualTo(BlockError.OK);
        Arrays.fill(content, CLUSTER, 4 * CLUSTER, (byte) 0);
        assertThat(driver.status(0, SIZE, IoFlags.NONE))
                .hasToString(
                        "[" + 4 * CLUSTER + ":" + DATA + ", " + 4 * CLUSTER + ":" + HOLE + "]");
    }

    @Test
    void shouldGiveClustersBackWhenZeroesMayUnmap() {
        int flags = IoFlags.MAY_UNMAP | IoFlags.FAST_ZERO;
        assertThat(driver.zero(CLUSTER, 5 * CLUSTER, flags)).isEqualTo(BlockError.OK);
        Arrays.fill(content, CLUSTER, 4 * CLUSTER, (byte) 0);
        assertThat(driver.status(0, SIZE, IoFlags.NONE))
                .hasToString("[" + CLUSTER + ":" + DATA + ", " + 7 * CLUSTER + ":" + HOLE + "]");
    }

    @Test
    void shouldRefuseFastZeroesWhenTheyMayNotUnmap() {
        assertThat(driver.zero(CLUSTER, CLUSTER, IoFlags.FAST_ZERO)).isEqualTo(BlockError.ENOTSUP);
    }
}
