package io.quoin.qcow2.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is read from an image laid by hand, and what one fault in it does to the rest. */
@Timeout(60)
@LogsErrors("image is corrupt: ")
class SmallImageTest {
    private static final String NAME = "disk.qcow2";
    private static final int CLUSTER = 4096;
    private static final int CORRUPT = 2;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    private XlatorFile open(SmallImage image, OpenMode mode) {
        images.brick.put(NAME, image.toArray());
        if (image.fileSize() > image.toArray().length) {
            XlatorFile file =
                    images.loops.await(
                            images.brick.open(NAME, OpenOptions.READ_WRITE, images.loops.loop(0)));
            images.loops.await(images.loops.loop(0).call(() -> file.resize(image.fileSize())));
            images.close(file);
        }
        return images.open(NAME, mode);
    }

    private static BlockError read(FileDriver driver, int cluster) {
        return driver.await(driver.startRead((long) cluster * CLUSTER, CLUSTER));
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[CLUSTER];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    @DisplayName("QCOW2 45, 70: zero clusters hide the backing file, and one keeps its place")
    void shouldReadZerosAndUseTheKeptPlaceWhenTheZeroFlagIsSet() {
        byte[] base = new byte[1 << 20];
        Arrays.fill(base, (byte) 9);
        images.brick.put("base.raw", base);
        SmallImage image = SmallImage.withBacking("base.raw", "raw");
        XlatorFile file = open(image, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        for (int zero : new int[] {SmallImage.ZERO_ENTRY, SmallImage.KEPT_ENTRY}) {
            assertThat(driver.read((long) zero * CLUSTER, CLUSTER)).isEqualTo(filled(0));
        }
        assertThat(driver.read(4 * CLUSTER, CLUSTER)).isEqualTo(filled(9));
        byte[] data = {1, 2, 3};
        driver.write(SmallImage.KEPT_ENTRY * CLUSTER + 100, data);
        byte[] expected = filled(0);
        System.arraycopy(data, 0, expected, 100, data.length);
        assertThat(driver.read(SmallImage.KEPT_ENTRY * CLUSTER, CLUSTER)).isEqualTo(expected);
        images.close(file);
        ByteBuffer after = ByteBuffer.wrap(images.brick.content(NAME));
        assertThat(after.getLong(image.entry(SmallImage.KEPT_ENTRY)))
                .isEqualTo(L2Entry.of(image.cluster(7), true));
    }

    @Test
    @DisplayName("QCOW2 77: COPIED in the tables of a snapshot means nothing")
    void shouldReadTheSnapshotWhenItsEntriesHaveCopied() {
        SmallImage image = SmallImage.withSnapshot();
        image.or(image.snapshotL1(), SmallImage.COPIED);
        image.or(image.snapshotL2(), SmallImage.COPIED);
        image.or(image.snapshotL2() + 8, SmallImage.COPIED);
        images.brick.put(NAME, image.toArray());
        XlatorFile file = images.open(NAME + "@snap", OpenMode.READ_ONLY);
        FileDriver driver = images.driver(file);
        byte[] first = Arrays.copyOfRange(image.toArray(), image.data(), image.data() + CLUSTER);
        assertThat(driver.read(0, CLUSTER)).isEqualTo(first);
        assertThat(driver.read(CLUSTER, CLUSTER)).isEqualTo(filled(12));
        images.close(file);
    }

    @Test
    @DisplayName("QCOW2 93: a broken stream is an error of its own cluster only")
    void shouldGoOnWithTheRestWhenOneStreamIsBroken() {
        SmallImage image = SmallImage.withCompressed();
        image.fill(image.compressedData(), CLUSTER, 0xff);
        XlatorFile file = open(image, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(read(driver, SmallImage.COMPRESSED_ENTRY)).isEqualTo(BlockError.EIO);
        assertThat(read(driver, 0)).isEqualTo(BlockError.OK);
        driver.write(9 * CLUSTER, filled(7));
        assertThat(driver.read(9 * CLUSTER, CLUSTER)).isEqualTo(filled(7));
        driver.write(SmallImage.COMPRESSED_ENTRY * CLUSTER, filled(6));
        assertThat(driver.read(SmallImage.COMPRESSED_ENTRY * CLUSTER, CLUSTER))
                .isEqualTo(filled(6));
        images.close(file);
        assertThat(images.brick.content(NAME)[79]).isZero();
    }

    @Test
    @DisplayName("QCOW2 61: a refcount block beyond the file ends writes and marks the image")
    void shouldMarkTheImageWhenARefcountBlockIsBeyondTheFile() {
        SmallImage image = SmallImage.plain();
        image.putLong(image.refcountTable(), image.cluster(1000));
        XlatorFile file = open(image, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        assertThat(driver.write(9 * CLUSTER, filled(7), 0)).isEqualTo(BlockError.EIO);
        assertThat(read(driver, 0)).isEqualTo(BlockError.OK);
        assertThat(images.brick.content(NAME)[79]).isEqualTo((byte) CORRUPT);
    }

    @Test
    @DisplayName("QCOW2 60: no cluster is given out that an entry cannot point to")
    void shouldRefuseAllocationsWhenTheFileReachesTheHighestOffset() {
        SmallImage image =
                SmallImage.of(
                        options -> {
                            options.clusterBits = 21;
                            options.size = 64 << 20;
                        });
        // Nothing is free among the clusters that a block counts.
        image.fill(image.refcountBlock(), 1 << 21, 1).fileSize(1L << 56);
        XlatorFile file = open(image, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        BlockError error = driver.write(10L << 21, filled(7), 0);
        assertThat(error).isEqualTo(BlockError.ENOSPC);
        assertThat(driver.read(10L << 21, CLUSTER)).isEqualTo(filled(0));
    }

    @Test
    @DisplayName("QCOW2 59, 73: clusters that are counted behind the end of the file are left out")
    void shouldPutALongerTableBehindThemWhenClustersBehindTheEndAreCounted() {
        SmallImage image = SmallImage.plain();
        image.refcount(17, 1).refcount(18, 1);
        XlatorFile file = open(image, OpenMode.READ_WRITE);
        long newSize = 3L << 30; // two clusters of L1
        images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
        FileDriver driver = images.driver(file);
        driver.write(newSize - CLUSTER, filled(5));
        assertThat(driver.read(newSize - CLUSTER, CLUSTER)).isEqualTo(filled(5));
        images.close(file);
        assertThat(ByteBuffer.wrap(images.brick.content(NAME)).getLong(40))
                .isGreaterThan(18 * CLUSTER);
    }

    @Test
    @DisplayName("QCOW2 150: entries are held against the size that the file has by then")
    void shouldFailAndGiveNoDataWhenTheFileWasCut() {
        SmallImage image = SmallImage.plain();
        XlatorFile file = open(image, OpenMode.READ_ONLY);
        FileDriver driver = images.driver(file);
        assertThat(read(driver, 0)).isEqualTo(BlockError.OK);
        XlatorFile below =
                images.loops.await(
                        images.brick.open(NAME, OpenOptions.READ_WRITE, images.loops.loop(0)));
        images.loops.await(images.loops.loop(0).call(() -> below.shrink(image.data())));
        assertThat(read(driver, 0)).isEqualTo(BlockError.EIO);
        assertThat(read(driver, SmallImage.ZERO_ENTRY)).isEqualTo(BlockError.OK);
    }
}
