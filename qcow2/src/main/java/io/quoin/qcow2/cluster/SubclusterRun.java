package io.quoin.qcow2.cluster;

import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;

/**
 * The walk along the entries of one slice for images whose entries are not standard ones: extended
 * entries, where each subcluster has a state of its own, and entries that point into an external
 * data file. Apart from {@link MappedRun}, so that standard images do not pay for it.
 *
 * <p>Threading: confined(loop).
 */
final class SubclusterRun {
    private final ImageIo io;
    private final EntryForm form;
    private long fileSizeBytes;

    /** Of the cluster that was looked at last. */
    private int l2Index;

    private EntryFault fault = EntryFault.NONE;
    private long guestEnd;
    private ClusterKind kind = ClusterKind.UNALLOCATED;

    SubclusterRun(ImageIo io, EntryForm form) {
        this.io = io;
        this.form = form;
    }

    int l2Index() {
        return l2Index;
    }

    /**
     * Finds the run at {@code guestOffset} in {@code slice}, to {@code limit} at most.
     *
     * @return what is wrong with the first entry; if nothing, {@code into} describes the run
     */
    EntryFault find(MappedRun into, Slice slice, long guestOffset, long limit) {
        l2Index = form.l2Index(guestOffset);
        fileSizeBytes = form.external ? Long.MAX_VALUE : io.fileSizeBytes();
        long descriptor = form.descriptor(slice, l2Index);
        long bitmap = form.bitmap(slice, l2Index);
        fault = faultOf(descriptor, bitmap, guestOffset);
        if (!fault.isNone()) {
            return fault;
        }
        int subcluster = form.subcluster(guestOffset);
        kind = form.kind(descriptor, bitmap, subcluster);
        boolean hasHost = !L2Entry.isCompressed(descriptor) && form.hasHost(descriptor);
        guestEnd = endOfAlike(bitmap, guestOffset, subcluster);
        if (kind != ClusterKind.COMPRESSED) {
            extend(slice, descriptor, hasHost, limit);
        }
        long inCluster = guestOffset & ((1L << form.clusterBits) - 1);
        into.kind = kind;
        into.copied = hasHost && form.isPlaced(descriptor);
        into.hostOffset = hasHost ? L2Entry.hostOffset(descriptor) + inCluster : 0;
        into.lengthBytes = Math.min(guestEnd, limit) - guestOffset;
        return EntryFault.NONE;
    }

    /** Goes on to the following clusters as long as they continue the run. */
    private void extend(Slice slice, long first, boolean hasHost, long limit) {
        long clusterMask = (1L << form.clusterBits) - 1;
        long descriptor = first;
        for (int next = l2Index + 1;
                next <= form.sliceMask && guestEnd < limit && (guestEnd & clusterMask) == 0;
                next++) {
            long follows = form.descriptor(slice, next);
            long bitmap = form.bitmap(slice, next);
            long expected = hasHost ? descriptor + (1L << form.clusterBits) : 0;
            boolean continues =
                    follows == expected
                            && form.kind(follows, bitmap, 0) == kind
                            && faultOf(follows, bitmap, guestEnd).isNone();
            if (!continues) {
                return;
            }
            descriptor = follows;
            guestEnd = endOfAlike(bitmap, guestEnd, 0);
        }
    }

    private long endOfAlike(long bitmap, long guestOffset, int subcluster) {
        long start = guestOffset & -(1L << form.subclusterBits);
        return start + ((long) form.alike(bitmap, subcluster) << form.subclusterBits);
    }

    private EntryFault faultOf(long descriptor, long bitmap, long guestOffset) {
        return form.fault(descriptor, bitmap, guestOffset, fileSizeBytes);
    }
}
