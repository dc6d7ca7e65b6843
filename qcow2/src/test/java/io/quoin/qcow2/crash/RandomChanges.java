package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What guests do to a disk: writes of all kinds, zeroes, discards and flushes, three at a time.
 *
 * <p>Threading: confined to the test.
 */
final class RandomChanges {
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;

    private final Random random;
    private final int diskSize;
    private final int clusterSize;

    RandomChanges(Random random, int diskSize, int clusterSize) {
        this.random = random;
        this.diskSize = diskSize;
        this.clusterSize = clusterSize;
    }

    /** Of the options that an image is made with. */
    static int clusterSizeOf(String options) {
        String size = options.replaceAll("cluster_size=(\\w+).*", "$1");
        int unit = size.endsWith("k") ? 1 << 10 : size.endsWith("M") ? 1 << 20 : 1;
        return Integer.parseInt(size.replaceAll("\\D", "")) * unit;
    }

    /** Up to three changes at once of different places, to their end. */
    void group(FileDriver driver) {
        List<FileDriver.Pending> pendings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < 3 && from < diskSize; i++) {
            int offset = random.nextInt((diskSize - from) / SECTOR) * SECTOR + from;
            int most = Math.min(diskSize - offset, diskSize / 8);
            int length = (random.nextInt(most / SECTOR) + 1) * SECTOR;
            pendings.add(change(driver, offset, Math.min(length, diskSize - offset)));
            from = offset + length;
        }
        for (FileDriver.Pending pending : pendings) {
            assertThat(driver.await(pending)).isEqualTo(BlockError.OK);
        }
    }

    private FileDriver.Pending change(FileDriver driver, int offset, int length) {
        int drawn = random.nextInt(10);
        int fua = random.nextInt(8) == 0 ? IoFlags.FUA : IoFlags.NONE;
        if (drawn == 0) {
            return driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
        }
        if (drawn == 1) {
            return driver.start(IoOp.WRITE_ZEROES, offset, length, IoFlags.MAY_UNMAP | fua);
        }
        if (drawn == 2) {
            return driver.start(IoOp.DISCARD, offset, length, fua);
        }
        int stamp = random.nextInt(1 << 20) + 1;
        boolean whole = offset % clusterSize == 0 && length % clusterSize == 0;
        int flags = whole && drawn < 6 ? IoFlags.COMPRESSED | fua : fua;
        return driver.startWrite(offset, SectorStamp.bytes(stamp, offset, length), flags);
    }
}
