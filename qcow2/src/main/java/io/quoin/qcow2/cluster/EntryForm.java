package io.quoin.qcow2.cluster;

import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SubclusterBitmap;

/**
 * How the L2 entries of an image say where its clusters are. Each entry is seen as a descriptor and
 * a {@link SubclusterBitmap}, whatever its form on disk:
 *
 * <pre>
 *  standard   1 subcluster: its bits are made from the offset and the zero flag, which the descriptor has not
 *  extended   32 subclusters, the second word of the entry
 *  external   the host cluster is the guest cluster, in the data file; it is there if there is an offset, or COPIED
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class EntryForm {
    final boolean extended;
    final boolean external;
    final int clusterBits;
    final int subclusterBits;
    final int l1Shift;
    final int sliceShift;
    final int sliceMask;
    private final int subclusters;
    private final int version;

    EntryForm(Qcow2Header header) {
        Qcow2Geometry geometry = header.geometry();
        extended = geometry.extendedL2();
        external = header.hasExternalDataFile();
        clusterBits = geometry.clusterBits();
        subclusterBits = geometry.subclusterBits();
        l1Shift = geometry.l1Shift();
        sliceShift = geometry.sliceShift();
        sliceMask = geometry.sliceEntries() - 1;
        subclusters = extended ? SubclusterBitmap.SUBCLUSTERS : 1;
        version = header.version();
    }

    /** Whether entries are plain words that point into the image's own file. */
    boolean isStandard() {
        return !extended && !external;
    }

    /** Which slice of all L2 tables maps {@code guestOffset}. */
    int sliceIndex(long guestOffset) {
        return (int) (guestOffset >>> sliceShift);
    }

    /** Which entry of its slice. */
    int l2Index(long guestOffset) {
        return (int) (guestOffset >>> clusterBits) & sliceMask;
    }

    /** Where in its slice's words an entry is. */
    int word(int l2Index) {
        return extended ? l2Index << 1 : l2Index;
    }

    long descriptor(Slice slice, int l2Index) {
        long entry = slice.entry(word(l2Index));
        return extended || L2Entry.isCompressed(entry) ? entry : entry & ~L2Entry.ZERO;
    }

    long bitmap(Slice slice, int l2Index) {
        if (extended) {
            return slice.entry(word(l2Index) + 1);
        }
        long entry = slice.entry(l2Index);
        if (L2Entry.isCompressed(entry)) {
            return 0;
        }
        if ((entry & L2Entry.ZERO) != 0) {
            return 1L << SubclusterBitmap.SUBCLUSTERS;
        }
        return hasHost(entry) ? 1 : 0;
    }

    /** Changes an entry in memory, see {@link MappingTables#setEntry}. */
    void put(
            MappingTables tables,
            Slice slice,
            int l2Index,
            long descriptor,
            long bitmap,
            boolean flushFirst) {
        if (extended) {
            tables.setEntry(slice, word(l2Index), descriptor, bitmap, flushFirst);
        } else {
            long zero = SubclusterBitmap.isZero(bitmap, 0) ? L2Entry.ZERO : 0;
            tables.setEntry(slice, l2Index, descriptor | zero, flushFirst);
        }
    }

    /** Whether a descriptor that is not compressed has a host cluster. */
    boolean hasHost(long descriptor) {
        return L2Entry.hasHost(descriptor, external);
    }

    /** Whether the cluster has a place that may be written: nothing else refers to it. */
    boolean isPlaced(long descriptor) {
        return !L2Entry.isCompressed(descriptor)
                && (external
                        || (L2Entry.hostOffset(descriptor) != 0 && L2Entry.isCopied(descriptor)));
    }

    ClusterKind kind(long descriptor, long bitmap, int subcluster) {
        if (L2Entry.isCompressed(descriptor)) {
            return ClusterKind.COMPRESSED;
        }
        if (SubclusterBitmap.isAllocated(bitmap, subcluster)) {
            return ClusterKind.NORMAL;
        }
        if (SubclusterBitmap.isZero(bitmap, subcluster)) {
            return hasHost(descriptor) ? ClusterKind.ZERO_ALLOCATED : ClusterKind.ZERO_PLAIN;
        }
        return ClusterKind.UNALLOCATED;
    }

    int subcluster(long guestOffset) {
        return (int) (guestOffset >>> subclusterBits) & (subclusters - 1);
    }

    /**
     * Subclusters from {@code subcluster} on, up to the cluster's end, that are all of its kind.
     */
    int alike(long bitmap, int subcluster) {
        long allocated = bitmap >>> subcluster;
        long zero = bitmap >>> (subcluster + SubclusterBitmap.SUBCLUSTERS);
        long other;
        if ((allocated & 1) != 0) {
            other = ~allocated;
        } else if ((zero & 1) != 0) {
            other = ~zero;
        } else {
            other = allocated | zero;
        }
        return Math.min(subclusters - subcluster, Long.numberOfTrailingZeros(other));
    }

    /** The subclusters of one cluster that {@code from} to before {@code to} touches. */
    long mask(long from, long to) {
        int first = subcluster(from);
        return SubclusterBitmap.mask(first, subcluster(to - 1) - first + 1);
    }

    /** All subclusters of a cluster. */
    long all() {
        return SubclusterBitmap.mask(0, subclusters);
    }

    /** What is wrong with an entry, as far as following it goes. */
    EntryFault fault(long descriptor, long bitmap, long guestOffset, long fileSizeBytes) {
        if (L2Entry.isCompressed(descriptor)) {
            if (external) {
                return EntryFault.COMPRESSED_EXTERNAL;
            }
            // Where its data are is for its reader to find out: nothing else depends on that.
            return SubclusterBitmap.fault(descriptor, bitmap);
        }
        long reserved = L2Entry.RESERVED_MASK | (extended ? L2Entry.ZERO : 0);
        if ((descriptor & reserved) != 0) {
            return EntryFault.RESERVED_BITS;
        }
        EntryFault subclusters = SubclusterBitmap.fault(descriptor, bitmap, hasHost(descriptor));
        if (!subclusters.isNone()) {
            return subclusters;
        }
        if (!external) {
            return L2Entry.fault(descriptor, clusterBits, version, fileSizeBytes);
        }
        long clusterStart = guestOffset & -(1L << clusterBits);
        boolean moved = hasHost(descriptor) && L2Entry.hostOffset(descriptor) != clusterStart;
        return moved ? EntryFault.MOVED : EntryFault.NONE;
    }
}
