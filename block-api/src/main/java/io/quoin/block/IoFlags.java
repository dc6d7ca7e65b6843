package io.quoin.block;

/**
 * Flags of a request, as bits of an int.
 *
 * <p>Threading: immutable.
 */
public final class IoFlags {
    public static final int NONE = 0;

    /**
     * WRITE, WRITE_ZEROES, DISCARD: complete only when the change, and what is needed to find it,
     * is durable.
     */
    public static final int FUA = 1;

    /**
     * WRITE_ZEROES: the range may be unmapped; without it space stays reserved for later writes.
     */
    public static final int MAY_UNMAP = 1 << 1;

    /**
     * WRITE_ZEROES: fail with {@link BlockError#ENOTSUP} and change nothing if it would be no
     * faster than writing.
     */
    public static final int FAST_ZERO = 1 << 2;

    /** BLOCK_STATUS: one extent, cut at the end of the range, is enough. */
    public static final int REQ_ONE = 1 << 3;

    /**
     * READ with an {@link ExtentList}: ranges reported there as {@link BlockStatus#ZERO} need not
     * be filled in memory. A device that reports nothing has filled everything.
     */
    public static final int SPARSE = 1 << 4;

    /**
     * WRITE: store the data compressed. Whole clusters of the device, or up to its end. Where a
     * cluster would not become smaller or has a place already it is written as usual. Only devices
     * with {@link Capabilities#canWriteCompressed}.
     */
    public static final int COMPRESSED = 1 << 5;

    private IoFlags() {}

    /** Whether {@code flags} are all defined for {@code op}. */
    public static boolean isLegal(IoOp op, int flags) {
        return (flags & ~legal(op)) == 0;
    }

    private static int legal(IoOp op) {
        return switch (op) {
            case READ -> SPARSE;
            case WRITE -> FUA | COMPRESSED;
            case DISCARD -> FUA;
            case WRITE_ZEROES -> FUA | MAY_UNMAP | FAST_ZERO;
            case BLOCK_STATUS -> REQ_ONE;
            case FLUSH, CACHE -> NONE;
        };
    }

    /** Names for messages and traces, for example {@code FUA|MAY_UNMAP}. */
    public static String toString(int flags) {
        if (flags == NONE) {
            return "-";
        }
        String[] names = {"FUA", "MAY_UNMAP", "FAST_ZERO", "REQ_ONE", "SPARSE", "COMPRESSED"};
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < names.length; bit++) {
            if ((flags & 1 << bit) != 0) {
                text.append(text.length() == 0 ? "" : "|").append(names[bit]);
            }
        }
        return text.toString();
    }
}
