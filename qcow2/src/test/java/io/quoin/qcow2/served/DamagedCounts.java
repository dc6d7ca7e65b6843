package io.quoin.qcow2.served;

import java.nio.ByteBuffer;

/** Counts of 16 bits in the bytes of an image, to be made wrong by hand. */
final class DamagedCounts {
    private static final int CLUSTER_BITS = 20;
    private static final int L1_OFFSET = 40;
    private static final int REFCOUNT_TABLE_OFFSET = 48;

    private final ByteBuffer image;
    private final int clusterSize;

    DamagedCounts(byte[] image) {
        this.image = ByteBuffer.wrap(image);
        this.clusterSize = 1 << this.image.getInt(CLUSTER_BITS);
    }

    int count(long cluster) {
        return image.getShort(place(cluster)) & 0xFFFF;
    }

    void count(long cluster, int count) {
        image.putShort(place(cluster), (short) count);
    }

    private int place(long cluster) {
        int perBlock = clusterSize / 2;
        long table = image.getLong(REFCOUNT_TABLE_OFFSET);
        long block = image.getLong((int) (table + 8 * (cluster / perBlock)));
        return (int) (block + 2 * (cluster % perBlock));
    }

    /** The last cluster of the file and {@code back} before it, none of which is used. */
    long unused(int back) {
        long cluster = (long) image.capacity() / clusterSize - 1;
        int left = back;
        while (count(cluster) != 0 || left-- > 0) {
            cluster--;
        }
        return cluster;
    }

    /** Where the L2 entry of guest cluster {@code index}, of the first L2 table, is. */
    int l2Entry(int index) {
        long l2 = image.getLong((int) image.getLong(L1_OFFSET)) & 0x00ff_ffff_ffff_fe00L;
        return (int) l2 + 8 * index;
    }

    long entry(int place) {
        return image.getLong(place);
    }

    void entry(int place, long value) {
        image.putLong(place, value);
    }

    /** The host cluster of guest cluster {@code index}. */
    long hostCluster(int index) {
        return (entry(l2Entry(index)) & 0x00ff_ffff_ffff_fe00L) / clusterSize;
    }

    /** The highest count of all. */
    int highestCount() {
        int highest = 0;
        for (long cluster = 0; cluster < (long) image.capacity() / clusterSize; cluster++) {
            highest = Math.max(highest, count(cluster));
        }
        return highest;
    }

    void byteAt(int place, int value) {
        image.put(place, (byte) value);
    }
}
