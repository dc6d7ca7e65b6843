package io.quoin.qcow2.layout;

/**
 * An entry of an L2 table: where a guest cluster is. With extended L2 a second word follows, the
 * {@link SubclusterBitmap}.
 *
 * <pre>
 *   63     62  61      56 55                                     9 8        1   0
 *  +------+---+----------+----------------------------------------+----------+----+
 *  |COPIED| 0 | reserved |  bits 9-55 of the cluster's host offset| reserved |ZERO|   standard
 *  +------+---+----------+----------------------------------------+----------+----+
 *  |  0   | 1 |  additional 512-byte sectors  |   host offset, any alignment      |   compressed,
 *  +------+---+-------------------------------+-----------------------------------+   x = 62 - (clusterBits - 8)
 *   63     62  61                           x x-1                                0
 *  offset 0, COPIED clear: unallocated (or plain zero).  COPIED: the refcount is exactly 1 (active tables only)
 *  ZERO: reads as zeros, an offset is a preallocation; version 3 without extended L2 only
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class L2Entry {
    public static final int SIZE_BYTES = 8;
    public static final int EXTENDED_SIZE_BYTES = 16;
    public static final long COPIED = 1L << 63;
    public static final long COMPRESSED = 1L << 62;
    public static final long ZERO = 1L;

    /** Behind the last host cluster that an entry can point to. */
    public static final long HOST_OFFSET_END = 1L << 56;

    public static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
    public static final long RESERVED_MASK = 0x3f00_0000_0000_01feL;
    public static final int SECTOR_BYTES = 512;

    private L2Entry() {}

    public static long of(long hostOffset, boolean copied) {
        return hostOffset | (copied ? COPIED : 0);
    }

    /** Reads as zeros; {@code hostOffset} 0, or a cluster that is kept. */
    public static long zero(long hostOffset, boolean copied) {
        return of(hostOffset, copied) | ZERO;
    }

    /** Of a standard entry; 0: no host cluster. */
    public static long hostOffset(long entry) {
        return entry & OFFSET_MASK;
    }

    public static boolean isCopied(long entry) {
        return entry < 0;
    }

    public static boolean isCompressed(long entry) {
        return (entry & COMPRESSED) != 0;
    }

    /**
     * Whether a descriptor has a host cluster.
     *
     * @param external whether it is one of an external data file, where the first cluster is at 0
     */
    public static boolean hasHost(long descriptor, boolean external) {
        return (descriptor & OFFSET_MASK) != 0 || (external && isCopied(descriptor));
    }

    /** Of an entry without subclusters. */
    public static ClusterKind kind(long entry) {
        if ((entry & COMPRESSED) != 0) {
            return ClusterKind.COMPRESSED;
        }
        boolean allocated = (entry & OFFSET_MASK) != 0;
        if ((entry & ZERO) != 0) {
            return allocated ? ClusterKind.ZERO_ALLOCATED : ClusterKind.ZERO_PLAIN;
        }
        return allocated ? ClusterKind.NORMAL : ClusterKind.UNALLOCATED;
    }

    /** Of the descriptor of an extended entry, whose bit 0 is not the zero flag. */
    public static ClusterKind extendedKind(long entry) {
        if ((entry & COMPRESSED) != 0) {
            return ClusterKind.COMPRESSED;
        }
        return (entry & OFFSET_MASK) != 0 ? ClusterKind.NORMAL : ClusterKind.UNALLOCATED;
    }

    /**
     * Checks what following a standard or compressed entry depends on; reserved bits are the
     * offline check's business.
     *
     * @param fileSizeBytes of the file that holds the data
     */
    public static EntryFault fault(long entry, int clusterBits, int version, long fileSizeBytes) {
        if ((entry & COMPRESSED) != 0) {
            return compressedHostOffset(entry, clusterBits) >= fileSizeBytes
                    ? EntryFault.BEYOND_EOF
                    : EntryFault.NONE;
        }
        if ((entry & ZERO) != 0 && version < 3) {
            return EntryFault.ZERO_FLAG_VERSION_2;
        }
        long hostOffset = entry & OFFSET_MASK;
        if (hostOffset == 0) {
            return isCopied(entry) ? EntryFault.COPIED_WITHOUT_OFFSET : EntryFault.NONE;
        }
        if ((hostOffset & ((1L << clusterBits) - 1)) != 0) {
            return EntryFault.UNALIGNED;
        }
        // The last cluster of a file may be cut short: what is missing reads as zeros.
        return hostOffset >= fileSizeBytes ? EntryFault.BEYOND_EOF : EntryFault.NONE;
    }

    private static int compressedOffsetBits(int clusterBits) {
        return 62 - (clusterBits - 8);
    }

    /** Where the compressed data begin; any alignment. */
    public static long compressedHostOffset(long entry, int clusterBits) {
        return entry & ((1L << compressedOffsetBits(clusterBits)) - 1);
    }

    /**
     * Bytes from {@link #compressedHostOffset} to the end of the last sector; the data may end
     * earlier.
     */
    public static int compressedLengthBytes(long entry, int clusterBits) {
        int offsetBits = compressedOffsetBits(clusterBits);
        int additionalSectors = (int) ((entry & (COMPRESSED - 1)) >>> offsetBits);
        int inSector = (int) (entry & (SECTOR_BYTES - 1));
        return (additionalSectors + 1) * SECTOR_BYTES - inSector;
    }

    /** Whether compressed data at {@code hostOffset} can be described at this cluster size. */
    public static boolean isCompressible(long hostOffset, int lengthBytes, int clusterBits) {
        long end = hostOffset + lengthBytes;
        return hostOffset >= 0
                && lengthBytes > 0
                && lengthBytes <= 1 << clusterBits
                && end > 0
                && end <= 1L << compressedOffsetBits(clusterBits)
                && end <= HOST_OFFSET_END;
    }

    /** The entry for compressed data for which {@link #isCompressible} holds. */
    public static long compressed(long hostOffset, int lengthBytes, int clusterBits) {
        long additionalSectors =
                (hostOffset + lengthBytes - 1) / SECTOR_BYTES - hostOffset / SECTOR_BYTES;
        return COMPRESSED | additionalSectors << compressedOffsetBits(clusterBits) | hostOffset;
    }
}
