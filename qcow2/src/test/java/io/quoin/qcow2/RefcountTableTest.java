package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.FileDriver;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Refcount tables that become too short, and what was counted before. */
@Timeout(120)
class RefcountTableTest {
    private static final String NAME = "disk.qcow2";

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    @Test
    @DisplayName("QCOW2 58, 59: the refcount table grows, and new blocks count themselves")
    void shouldGrowTheRefcountTableWhenTheFileOutgrowsIt() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        int size = 40 << 20;
        images.create(NAME, size, Map.of("cluster_size", "512"));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] data = new byte[size];
        new Random(1).nextBytes(data);
        for (int at = 0; at < size; at += 1 << 20) {
            driver.write(at, Arrays.copyOfRange(data, at, at + (1 << 20)));
        }
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(data);
    }

    @ParameterizedTest
    @CsvSource({"512, 64, 9", "512, 16, 34", "1024, 64, 300"})
    @DisplayName("QCOW2 55, 59: a table in one piece that outgrows the refcount table is counted")
    void shouldKeepCountsWhenOneTableOutgrowsTheRefcountTable(
            String clusterSize, String refcountBits, int gibibytes) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        images.create(
                NAME, 8 << 20, Map.of("cluster_size", clusterSize, "refcount_bits", refcountBits));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] data = new byte[1 << 20];
        new Random(2).nextBytes(data);
        driver.write(0, data);
        images.loops.await(images.loops.loop(0).call(() -> file.resize((long) gibibytes << 30)));
        driver.write(4 << 20, data);
        assertThat(driver.read(0, data.length)).isEqualTo(data);
        images.close(file);
        images.checkClean(NAME);
        XlatorFile again = images.open(NAME, OpenMode.READ_ONLY);
        FileDriver reader = images.driver(again);
        assertThat(reader.read(0, data.length)).isEqualTo(data);
        assertThat(reader.read(4 << 20, data.length)).isEqualTo(data);
        images.close(again);
    }
}
