package io.quoin.stripe;

import io.quoin.block.Invariant;

/**
 * Where the bytes of a striped file lie: its blocks go to the parts in turn, and a part holds its
 * blocks one behind another. Offsets in a part are counted from behind its header.
 *
 * <p>Threading: immutable.
 */
final class StripeMap {
    private final int count;
    private final long blockBytes;
    private final int blockShift;

    /**
     * @param count how many parts
     * @param blockBytes a power of two
     */
    StripeMap(int count, long blockBytes) {
        Invariant.check(count > 0, "striped over nothing");
        Invariant.check(Long.bitCount(blockBytes) == 1, "block size is no power of two");
        this.count = count;
        this.blockBytes = blockBytes;
        this.blockShift = Long.numberOfTrailingZeros(blockBytes);
    }

    int count() {
        return count;
    }

    long blockBytes() {
        return blockBytes;
    }

    /** The part that holds the byte at {@code offsetBytes}. */
    int partOf(long offsetBytes) {
        return (int) ((offsetBytes >>> blockShift) % count);
    }

    /** First byte behind the block that {@code offsetBytes} lies in. */
    long blockEndBytes(long offsetBytes) {
        return ((offsetBytes >>> blockShift) + 1) << blockShift;
    }

    /**
     * How many of the first {@code sizeBytes} bytes lie in a part. So a range of the file is in
     * each part the range from the share of its start to the share of its end.
     */
    long shareBytes(int part, long sizeBytes) {
        long blocks = sizeBytes >>> blockShift;
        int lastPart = (int) (blocks % count);
        long shareBytes = (blocks / count) << blockShift;
        if (part < lastPart) {
            return shareBytes + blockBytes;
        }
        return part == lastPart ? shareBytes + (sizeBytes & (blockBytes - 1)) : shareBytes;
    }

    /** Where a byte of a part is in the file. */
    long offsetBytes(int part, long offsetInPartBytes) {
        long block = (offsetInPartBytes >>> blockShift) * count + part;
        return (block << blockShift) + (offsetInPartBytes & (blockBytes - 1));
    }

    /** How long a file is at least of which a part holds that many bytes. */
    long endBytes(int part, long bytesInPart) {
        return bytesInPart == 0 ? 0 : offsetBytes(part, bytesInPart - 1) + 1;
    }

    /** How many parts a range that is not empty touches, from that of its first byte on. */
    int partsTouched(long startBytes, long endBytes) {
        long blocks = ((endBytes - 1) >>> blockShift) - (startBytes >>> blockShift) + 1;
        return (int) Math.min(count, blocks);
    }
}
