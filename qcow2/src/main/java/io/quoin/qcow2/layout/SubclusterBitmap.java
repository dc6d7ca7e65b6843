package io.quoin.qcow2.layout;

/**
 * The second word of an extended L2 entry: the state of each of the 32 subclusters.
 *
 * <pre>
 *   63                    32 31                     0
 *  +------------------------+------------------------+
 *  |  reads as zeros, s-32  |      allocated, s      |
 *  +------------------------+------------------------+
 *  both set for one subcluster: corrupt.  neither: read from the backing file.  0 for a compressed cluster
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class SubclusterBitmap {
    public static final int SUBCLUSTERS = 32;

    private SubclusterBitmap() {}

    public static boolean isAllocated(long bitmap, int subcluster) {
        return (bitmap >>> subcluster & 1) != 0;
    }

    public static boolean isZero(long bitmap, int subcluster) {
        return (bitmap >>> (subcluster + SUBCLUSTERS) & 1) != 0;
    }

    /**
     * The bits of {@code count} subclusters from {@code first} on, as they stand in the allocated
     * half.
     */
    public static long mask(int first, int count) {
        return ((1L << count) - 1) << first;
    }

    /** {@code bitmap} with the subclusters of {@code mask} allocated and no longer zero. */
    public static long withAllocated(long bitmap, long mask) {
        return (bitmap | mask) & ~(mask << SUBCLUSTERS);
    }

    /**
     * {@code bitmap} with the subclusters of {@code mask} reading as zeros and no longer allocated.
     */
    public static long withZero(long bitmap, long mask) {
        return (bitmap & ~mask) | mask << SUBCLUSTERS;
    }

    /** {@code bitmap} with the subclusters of {@code mask} neither allocated nor zero. */
    public static long without(long bitmap, long mask) {
        return bitmap & ~(mask | mask << SUBCLUSTERS);
    }

    /** Checks the bitmap against its descriptor, which has an offset in the image's own file. */
    public static EntryFault fault(long descriptor, long bitmap) {
        return fault(descriptor, bitmap, L2Entry.hostOffset(descriptor) != 0);
    }

    /**
     * Checks the bitmap against its descriptor.
     *
     * @param hasHost whether there is a host cluster: in an external data file also at offset 0
     */
    public static EntryFault fault(long descriptor, long bitmap, boolean hasHost) {
        if (L2Entry.isCompressed(descriptor)) {
            return bitmap == 0 ? EntryFault.NONE : EntryFault.SUBCLUSTER_COMPRESSED;
        }
        if ((bitmap & bitmap >>> SUBCLUSTERS) != 0) {
            return EntryFault.SUBCLUSTER_CONFLICT;
        }
        return (int) bitmap != 0 && !hasHost
                ? EntryFault.SUBCLUSTER_WITHOUT_OFFSET
                : EntryFault.NONE;
    }
}
