package io.quoin.block;

import java.util.Arrays;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * Scattered direct memory seen as one run of bytes: what a READ fills and a WRITE stores. Several
 * writes joined into one, or a cluster put together from old and new parts, are passed down without
 * a copy and end in one pwritev.
 *
 * <p>It holds addresses only: the submitter of a request keeps the memory alive until the
 * completion, and longer where it has given it a {@link MemoryLease} that is retained.
 *
 * <p>Threading: confined to the owner of the request that carries it.
 */
public final class IoVector {
    private static final int INITIAL = 4;

    private long[] addresses = new long[INITIAL];
    private int[] lengths = new int[INITIAL];
    private int count;
    private long lengthBytes;
    private @Nullable MemoryLease lease;

    public void clear() {
        count = 0;
        lengthBytes = 0;
        lease = null;
    }

    /** By which all of this memory can be kept beyond a completion; null: it has to be copied. */
    public @Nullable MemoryLease lease() {
        return lease;
    }

    /** Says that {@code owner} keeps all of the memory that is there now. */
    public void leased(MemoryLease owner) {
        lease = owner;
    }

    /** Appends {@code segmentLengthBytes} bytes at {@code address} of direct memory, unleased. */
    public void add(long address, int segmentLengthBytes) {
        lease = null;
        append(address, segmentLengthBytes);
    }

    private void append(long address, int segmentLengthBytes) {
        Invariant.check(address != 0 && segmentLengthBytes > 0, "empty or null segment");
        if (count > 0
                && addresses[count - 1] + lengths[count - 1] == address
                && lengths[count - 1] + segmentLengthBytes > 0) {
            lengths[count - 1] += segmentLengthBytes;
        } else {
            if (count == addresses.length) {
                addresses = Arrays.copyOf(addresses, count * 2);
                lengths = Arrays.copyOf(lengths, count * 2);
            }
            addresses[count] = address;
            lengths[count] = segmentLengthBytes;
            count++;
        }
        lengthBytes += segmentLengthBytes;
    }

    /** Appends a range of a buffer over direct memory. */
    public void add(DirectBuffer buffer, int index, int segmentLengthBytes) {
        Invariant.check(buffer.byteArray() == null, "a request's memory must be direct");
        buffer.boundsCheck(index, segmentLengthBytes);
        add(buffer.addressOffset() + index, segmentLengthBytes);
    }

    /**
     * Appends {@code sliceLengthBytes} bytes of {@code other} from {@code position} on. What is all
     * out of memory of one lease is leased.
     */
    public void addSlice(IoVector other, long position, long sliceLengthBytes) {
        other.checkRange(position, sliceLengthBytes);
        if (count == 0) {
            lease = other.lease;
        } else if (lease != other.lease) {
            lease = null;
        }
        long skip = position;
        long left = sliceLengthBytes;
        for (int i = 0; left > 0; i++) {
            int length = other.lengths[i];
            if (skip >= length) {
                skip -= length;
                continue;
            }
            int part = (int) Math.min(left, length - skip);
            append(other.addresses[i] + skip, part);
            skip = 0;
            left -= part;
        }
    }

    public int count() {
        return count;
    }

    public long address(int segment) {
        return addresses[segment];
    }

    public int segmentLengthBytes(int segment) {
        return lengths[segment];
    }

    /** Bytes in all segments. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** Fills {@code fillLengthBytes} bytes from {@code position} on with zeros. */
    public void zero(long position, long fillLengthBytes) {
        checkRange(position, fillLengthBytes);
        long skip = position;
        long left = fillLengthBytes;
        for (int i = 0; left > 0; i++) {
            int length = lengths[i];
            if (skip >= length) {
                skip -= length;
                continue;
            }
            long part = Math.min(left, length - skip);
            UnsafeApi.setMemory(addresses[i] + skip, part, (byte) 0);
            skip = 0;
            left -= part;
        }
    }

    /** Copies {@code copyLengthBytes} bytes from {@code position} on to {@code targetAddress}. */
    public void copyTo(long position, long targetAddress, long copyLengthBytes) {
        transfer(position, targetAddress, copyLengthBytes, false);
    }

    /**
     * Copies {@code copyLengthBytes} bytes at {@code sourceAddress} to {@code position} of this
     * memory.
     */
    public void copyFrom(long position, long sourceAddress, long copyLengthBytes) {
        transfer(position, sourceAddress, copyLengthBytes, true);
    }

    private void transfer(
            long position, long otherAddress, long transferLengthBytes, boolean inwards) {
        checkRange(position, transferLengthBytes);
        long skip = position;
        long done = 0;
        for (int i = 0; done < transferLengthBytes; i++) {
            int length = lengths[i];
            if (skip >= length) {
                skip -= length;
                continue;
            }
            long part = Math.min(transferLengthBytes - done, length - skip);
            long own = addresses[i] + skip;
            UnsafeApi.copyMemory(
                    inwards ? otherAddress + done : own, inwards ? own : otherAddress + done, part);
            skip = 0;
            done += part;
        }
    }

    /** Whether every byte is zero. */
    public boolean isZero() {
        return isZero(0, lengthBytes);
    }

    /**
     * Whether {@code rangeLengthBytes} bytes from {@code position} on are zero. It ends at the
     * first that is not, so other data cost next to nothing.
     */
    public boolean isZero(long position, long rangeLengthBytes) {
        checkRange(position, rangeLengthBytes);
        long skip = position;
        long left = rangeLengthBytes;
        for (int i = 0; left > 0; i++) {
            int length = lengths[i];
            if (skip >= length) {
                skip -= length;
                continue;
            }
            long part = Math.min(left, length - skip);
            if (!isZeroMemory(addresses[i] + skip, part)) {
                return false;
            }
            skip = 0;
            left -= part;
        }
        return true;
    }

    private static boolean isZeroMemory(long start, long length) {
        long address = start;
        long end = start + length;
        for (; address + 4 * Long.BYTES <= end; address += 4 * Long.BYTES) {
            long any =
                    UnsafeApi.getLong(address)
                            | UnsafeApi.getLong(address + Long.BYTES)
                            | UnsafeApi.getLong(address + 2 * Long.BYTES)
                            | UnsafeApi.getLong(address + 3 * Long.BYTES);
            if (any != 0) {
                return false;
            }
        }
        for (; address < end; address++) {
            if (UnsafeApi.getByte(address) != 0) {
                return false;
            }
        }
        return true;
    }

    private void checkRange(long position, long rangeLengthBytes) {
        Invariant.check(
                position >= 0
                        && rangeLengthBytes >= 0
                        && position + rangeLengthBytes <= lengthBytes,
                "range outside of the request's memory");
    }
}
