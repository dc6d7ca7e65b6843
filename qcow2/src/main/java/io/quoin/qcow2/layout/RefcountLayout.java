package io.quoin.qcow2.layout;

import io.quoin.block.Invariant;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Refcount table and blocks: how often each host cluster is referenced.
 *
 * <pre>
 *  refcount table entry            63                                9 8        0
 *                                 +-----------------------------------+----------+
 *                                 |  bits 9-63 of the block's offset  | reserved |   0: no block, all counts 0
 *                                 +-----------------------------------+----------+
 *  refcount block (one cluster): clusterSize * 8 / width counts; width = 1 &lt;&lt; refcount_order, 1 to 64 bits,
 *  big-endian from 16 bits on; below 8 bits count 0 is in the least significant bits of byte 0.
 *
 *  block index of cluster c = c / entries, index in the block = c % entries
 * </pre>
 *
 * Counts of 64 bits are unsigned.
 *
 * <p>Threading: immutable.
 */
public final class RefcountLayout {
    public static final int TABLE_ENTRY_BYTES = 8;
    public static final long TABLE_OFFSET_MASK = 0xffff_ffff_ffff_fe00L;
    public static final long TABLE_RESERVED_MASK = 0x1ffL;

    /** The largest refcount table that is read or written. */
    public static final int TABLE_BYTES_MAX = 8 << 20;

    private static final int HOST_OFFSET_BITS = 56;

    private final int order;
    private final int clusterBits;
    private final int entryBits;
    private final long countMax;

    public RefcountLayout(int order, int clusterBits) {
        Invariant.check(order >= 0 && order <= 6, "refcount order out of range");
        this.order = order;
        this.clusterBits = clusterBits;
        this.entryBits = clusterBits + 3 - order;
        this.countMax = order == 6 ? -1L : (1L << (1 << order)) - 1;
    }

    /** Bits of one count. */
    public int widthBits() {
        return 1 << order;
    }

    /** The highest count; unsigned. */
    public long countMax() {
        return countMax;
    }

    /** Counts in one refcount block. */
    public int blockEntries() {
        return 1 << entryBits;
    }

    /** Host bytes that one refcount block covers. */
    public long blockCoverBytes() {
        return 1L << (entryBits + clusterBits);
    }

    /** The longest file whose clusters the longest table can count; at most what entries reach. */
    public long fileBytesMax() {
        int coverBits = entryBits + clusterBits;
        int tableBits = Integer.numberOfTrailingZeros(TABLE_BYTES_MAX / TABLE_ENTRY_BYTES);
        return 1L << Math.min(HOST_OFFSET_BITS, coverBits + tableBits);
    }

    /** Entries of one cluster of the refcount table. */
    public int tableEntriesPerCluster() {
        return 1 << (clusterBits - 3);
    }

    /** Which refcount block counts host cluster {@code clusterIndex}. */
    public long blockIndex(long clusterIndex) {
        return clusterIndex >>> entryBits;
    }

    /** Where in its refcount block the count of host cluster {@code clusterIndex} is. */
    public int indexInBlock(long clusterIndex) {
        return (int) (clusterIndex & ((1L << entryBits) - 1));
    }

    /** Host offset of the refcount block; 0: none. */
    public static long blockHostOffset(long tableEntry) {
        return tableEntry & TABLE_OFFSET_MASK;
    }

    /** What is wrong with where the header says that the table is; null: nothing. */
    static @Nullable String tablePlaceFault(long hostOffset, long clusters, int clusterBits) {
        long clustersMax = TABLE_BYTES_MAX >> clusterBits;
        if (clusters == 0 || clusters > clustersMax) {
            return "refcount_table_clusters=" + clusters + ", expected=1.." + clustersMax;
        }
        long clusterSize = 1L << clusterBits;
        boolean valid =
                hostOffset > 0
                        && (hostOffset & (clusterSize - 1)) == 0
                        && hostOffset <= Long.MAX_VALUE - (clusters << clusterBits);
        return valid
                ? null
                : "refcount_table_offset="
                        + hostOffset
                        + ", expected=behind the header, a multiple of the cluster size "
                        + clusterSize;
    }

    /** Checks a refcount table entry before it is followed. */
    public static EntryFault tableFault(long tableEntry, int clusterBits, long fileSizeBytes) {
        if ((tableEntry & TABLE_RESERVED_MASK) != 0) {
            return EntryFault.RESERVED_BITS;
        }
        if ((tableEntry & ((1L << clusterBits) - 1)) != 0) {
            return EntryFault.UNALIGNED;
        }
        return tableEntry < 0
                        || (tableEntry != 0 && tableEntry > fileSizeBytes - (1L << clusterBits))
                ? EntryFault.BEYOND_EOF
                : EntryFault.NONE;
    }

    /**
     * The count at {@code index} of the block that starts at {@code blockStart} of {@code buffer}.
     */
    public long get(DirectBuffer buffer, int blockStart, int index) {
        return switch (order) {
            case 0, 1, 2 ->
                    buffer.getByte(blockStart + byteOf(index)) >>> shiftOf(index) & countMax;
            case 3 -> buffer.getByte(blockStart + index) & 0xffL;
            case 4 -> buffer.getShort(blockStart + 2 * index, ByteOrder.BIG_ENDIAN) & 0xffffL;
            case 5 -> buffer.getInt(blockStart + 4 * index, ByteOrder.BIG_ENDIAN) & 0xffff_ffffL;
            default -> buffer.getLong(blockStart + 8 * index, ByteOrder.BIG_ENDIAN);
        };
    }

    /** Stores a count that is at most {@link #countMax}. */
    public void set(MutableDirectBuffer buffer, int blockStart, int index, long count) {
        Invariant.check(Long.compareUnsigned(count, countMax) <= 0, "refcount above its width");
        switch (order) {
            case 0, 1, 2 -> {
                int at = blockStart + byteOf(index);
                buffer.putByte(at, packed(buffer.getByte(at), index, count));
            }
            case 3 -> buffer.putByte(blockStart + index, (byte) count);
            case 4 -> buffer.putShort(blockStart + 2 * index, (short) count, ByteOrder.BIG_ENDIAN);
            case 5 -> buffer.putInt(blockStart + 4 * index, (int) count, ByteOrder.BIG_ENDIAN);
            default -> buffer.putLong(blockStart + 8 * index, count, ByteOrder.BIG_ENDIAN);
        }
    }

    /**
     * The count at {@code index} of the block that {@code block}, a big-endian buffer, holds from 0
     * on.
     */
    public long get(ByteBuffer block, int index) {
        return switch (order) {
            case 0, 1, 2 -> block.get(byteOf(index)) >>> shiftOf(index) & countMax;
            case 3 -> block.get(index) & 0xffL;
            case 4 -> block.getShort(2 * index) & 0xffffL;
            case 5 -> block.getInt(4 * index) & 0xffff_ffffL;
            default -> block.getLong(8 * index);
        };
    }

    /** Stores a count that is at most {@link #countMax}. */
    public void set(ByteBuffer block, int index, long count) {
        Invariant.check(Long.compareUnsigned(count, countMax) <= 0, "refcount above its width");
        switch (order) {
            case 0, 1, 2 ->
                    block.put(byteOf(index), packed(block.get(byteOf(index)), index, count));
            case 3 -> block.put(index, (byte) count);
            case 4 -> block.putShort(2 * index, (short) count);
            case 5 -> block.putInt(4 * index, (int) count);
            default -> block.putLong(8 * index, count);
        }
    }

    private int byteOf(int index) {
        return index >>> (3 - order);
    }

    private int shiftOf(int index) {
        return (index & ((1 << (3 - order)) - 1)) << order;
    }

    private byte packed(byte old, int index, long count) {
        int shift = shiftOf(index);
        return (byte) ((old & ~((int) countMax << shift)) | ((int) count << shift));
    }
}
