package io.quoin.tools;

import org.agrona.UnsafeApi;

/**
 * Looks at memory and clears it.
 *
 * <p>Threading: immutable.
 */
final class BlockMemory {
    private static final int STEP_BYTES = 4 * Long.BYTES;

    private BlockMemory() {}

    static void zero(long address, long lengthBytes) {
        if (lengthBytes > 0) {
            UnsafeApi.setMemory(address, lengthBytes, (byte) 0);
        }
    }

    /** Whether all of it is zero. */
    static boolean isZero(long address, long lengthBytes) {
        long end = address + lengthBytes;
        long position = address;
        for (; position + STEP_BYTES <= end; position += STEP_BYTES) {
            long any =
                    UnsafeApi.getLong(position)
                            | UnsafeApi.getLong(position + Long.BYTES)
                            | UnsafeApi.getLong(position + 2 * Long.BYTES)
                            | UnsafeApi.getLong(position + 3 * Long.BYTES);
            if (any != 0) {
                return false;
            }
        }
        for (; position < end; position++) {
            if (UnsafeApi.getByte(position) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Index of the first byte that differs, or -1. */
    static long mismatch(long first, long second, long lengthBytes) {
        long position = 0;
        for (; position + Long.BYTES <= lengthBytes; position += Long.BYTES) {
            long difference =
                    UnsafeApi.getLong(first + position) ^ UnsafeApi.getLong(second + position);
            if (difference != 0) {
                break;
            }
        }
        for (; position < lengthBytes; position++) {
            if (UnsafeApi.getByte(first + position) != UnsafeApi.getByte(second + position)) {
                return position;
            }
        }
        return -1;
    }

    /** Index of the first byte that is not zero, or -1. */
    static long firstNonZero(long address, long lengthBytes) {
        for (long position = 0; position < lengthBytes; position++) {
            if (UnsafeApi.getByte(address + position) != 0) {
                return position;
            }
        }
        return -1;
    }
}
