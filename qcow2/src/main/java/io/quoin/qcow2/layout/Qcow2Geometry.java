package io.quoin.qcow2.layout;

/**
 * What follows from the cluster size, the L2 entry size and the virtual size: how a guest offset is
 * taken apart.
 *
 * <pre>
 *  guest offset   |  l1Index  |  l2Index  |  offset in cluster  |
 *                                l2Bits         clusterBits
 *  subcluster = cluster / 32 with extended L2, else the cluster itself
 *  slice = 4 KiB of an L2 table, or all of a smaller one
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class Qcow2Geometry {
    private static final int SLICE_BITS_MAX = 12;

    private final int clusterBits;
    private final int l2Bits;
    private final boolean extendedL2;

    public Qcow2Geometry(int clusterBits, boolean extendedL2) {
        this.clusterBits = clusterBits;
        this.extendedL2 = extendedL2;
        this.l2Bits = clusterBits - (extendedL2 ? 4 : 3);
    }

    public int clusterBits() {
        return clusterBits;
    }

    public int clusterSizeBytes() {
        return 1 << clusterBits;
    }

    public boolean extendedL2() {
        return extendedL2;
    }

    public int l2EntryBytes() {
        return extendedL2 ? L2Entry.EXTENDED_SIZE_BYTES : L2Entry.SIZE_BYTES;
    }

    /** Entries of an L2 table. */
    public int l2Entries() {
        return 1 << l2Bits;
    }

    /** L2 tables are kept and written in slices of so many bytes, as a power of two. */
    public int sliceBits() {
        return Math.min(SLICE_BITS_MAX, clusterBits);
    }

    /** Entries of a slice of an L2 table. */
    public int sliceEntries() {
        return 1 << (sliceBits() - (extendedL2 ? 4 : 3));
    }

    /** By how much a guest offset is shifted to give the index of a slice, in all tables. */
    public int sliceShift() {
        return sliceBits() - (extendedL2 ? 4 : 3) + clusterBits;
    }

    /** Guest bytes that an L2 table covers. */
    public long l2CoverBytes() {
        return 1L << (l2Bits + clusterBits);
    }

    public int subclusterBits() {
        return extendedL2 ? clusterBits - 5 : clusterBits;
    }

    /** By how much a guest offset is shifted to give an L1 index. */
    public int l1Shift() {
        return l2Bits + clusterBits;
    }

    public int l1Index(long guestOffset) {
        return (int) (guestOffset >>> l1Shift());
    }

    public int l2Index(long guestOffset) {
        return (int) (guestOffset >>> clusterBits) & ((1 << l2Bits) - 1);
    }

    public int offsetInCluster(long guestOffset) {
        return (int) guestOffset & ((1 << clusterBits) - 1);
    }

    public int subclusterIndex(long guestOffset) {
        return offsetInCluster(guestOffset) >>> subclusterBits();
    }

    /** L1 entries that {@code sizeBytes} of guest bytes need; as unsigned numbers. */
    public long l1EntriesFor(long sizeBytes) {
        int bits = l2Bits + clusterBits;
        long whole = sizeBytes >>> bits;
        return (sizeBytes & ((1L << bits) - 1)) == 0 ? whole : whole + 1;
    }

    /** Clusters that hold {@code lengthBytes} bytes. */
    public long clustersFor(long lengthBytes) {
        long whole = lengthBytes >>> clusterBits;
        return offsetInCluster(lengthBytes) == 0 ? whole : whole + 1;
    }

    public long alignDown(long offset) {
        return offset & -(1L << clusterBits);
    }

    public long alignUp(long offset) {
        return alignDown(offset + (1L << clusterBits) - 1);
    }
}
