package io.quoin.qcow2.layout;

/**
 * An entry of an L1 table: where an L2 table is.
 *
 * <pre>
 *   63     62      56 55                                        9 8        0
 *  +------+----------+-------------------------------------------+----------+
 *  |COPIED| reserved |  bits 9-55 of the L2 table's host offset  | reserved |
 *  +------+----------+-------------------------------------------+----------+
 *  offset 0: no L2 table, all its clusters are unallocated
 *  COPIED:   the L2 table's refcount is exactly 1 (meaningful in the active table only)
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class L1Entry {
    public static final int SIZE_BYTES = 8;
    public static final long COPIED = 1L << 63;
    public static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
    public static final long RESERVED_MASK = 0x7f00_0000_0000_01ffL;

    private L1Entry() {}

    public static long of(long l2HostOffset, boolean copied) {
        return l2HostOffset | (copied ? COPIED : 0);
    }

    /** Host offset of the L2 table; 0: none. */
    public static long hostOffset(long entry) {
        return entry & OFFSET_MASK;
    }

    public static boolean isAllocated(long entry) {
        return (entry & OFFSET_MASK) != 0;
    }

    public static boolean isCopied(long entry) {
        return entry < 0;
    }

    /**
     * Checks what following the entry depends on; reserved bits are the offline check's business.
     */
    public static EntryFault fault(long entry, int clusterBits, long fileSizeBytes) {
        long hostOffset = entry & OFFSET_MASK;
        if (hostOffset == 0) {
            return isCopied(entry) ? EntryFault.COPIED_WITHOUT_OFFSET : EntryFault.NONE;
        }
        if ((hostOffset & ((1L << clusterBits) - 1)) != 0) {
            return EntryFault.UNALIGNED;
        }
        return hostOffset > fileSizeBytes - (1L << clusterBits)
                ? EntryFault.BEYOND_EOF
                : EntryFault.NONE;
    }
}
