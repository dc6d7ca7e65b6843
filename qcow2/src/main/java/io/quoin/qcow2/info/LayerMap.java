package io.quoin.qcow2.info;

import io.quoin.block.BlockError;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.TablesAhead;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What one image of a chain has at a guest offset. Keeps the L2 table that it looked at last, and
 * small ones that come next.
 *
 * <p>Threading: confined to its user.
 */
final class LayerMap {
    enum State {
        UNALLOCATED,
        ZERO,
        DATA,
        COMPRESSED
    }

    private final @Nullable ClosedImage image;
    private final long sizeBytes;
    private final ByteBuffer l1;
    private final @Nullable TablesAhead l2Tables;
    private int l1First = -1;

    private State state = State.UNALLOCATED;
    private long lengthBytes;
    private long hostOffset;

    LayerMap(@Nullable ClosedImage image, long sizeBytes) {
        this.image = image;
        this.sizeBytes = sizeBytes;
        this.l1 = image == null ? ByteBuffer.allocate(0) : image.tableBuffer();
        this.l2Tables =
                image == null ? null : new TablesAhead(image, entry -> l2Offset(image, entry));
    }

    private static long l2Offset(ClosedImage qcow2, long entry) {
        return L1Entry.fault(entry, qcow2.clusterBits, qcow2.fileSizeBytes).isNone()
                ? L1Entry.hostOffset(entry)
                : 0;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    State state() {
        return state;
    }

    /** How far the state reaches; at least as far as is known from one table. */
    long length() {
        return lengthBytes;
    }

    long hostOffset() {
        return hostOffset;
    }

    /**
     * Finds out what is at {@code guestOffset}, which lies inside of the image, and how far it
     * reaches.
     */
    void look(long guestOffset, long lengthMax) {
        if (image == null || l2Tables == null) {
            set(State.DATA, Math.min(lengthMax, sizeBytes - guestOffset), guestOffset);
            return;
        }
        Qcow2Geometry geometry = image.geometry;
        int l1Index = geometry.l1Index(guestOffset);
        long entry = l1Entry(image, l1Index);
        if (!L1Entry.isAllocated(entry)) {
            long end = unallocatedEnd(geometry, l1Index, guestOffset + lengthMax);
            set(State.UNALLOCATED, end - guestOffset, MapExtent.NO_OFFSET);
            return;
        }
        refuse(
                image,
                L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes),
                "L1 entry",
                guestOffset);
        ByteBuffer l2 = l2Tables.table(l1, (l1Index - l1First) * L1Entry.SIZE_BYTES);
        lookL2(image, l2, guestOffset, lengthMax);
    }

    /**
     * Where the run of missing L2 tables from {@code index} on ends, as far as the buffer tells.
     */
    private long unallocatedEnd(Qcow2Geometry geometry, int index, long limit) {
        int next = index + 1;
        while (next * geometry.l2CoverBytes() < limit
                && (next - l1First) * L1Entry.SIZE_BYTES < l1.limit()
                && !L1Entry.isAllocated(l1.getLong((next - l1First) * L1Entry.SIZE_BYTES))) {
            next++;
        }
        return Math.min(limit, next * geometry.l2CoverBytes());
    }

    private void lookL2(ClosedImage qcow2, ByteBuffer l2, long guestOffset, long lengthMax) {
        Qcow2Geometry geometry = qcow2.geometry;
        int at = geometry.l2Index(guestOffset) * geometry.l2EntryBytes();
        long entry = l2.getLong(at);
        int inCluster = geometry.offsetInCluster(guestOffset);
        if (geometry.extendedL2()) {
            lookSubclusters(
                    qcow2, guestOffset, entry, l2.getLong(at + L2Entry.SIZE_BYTES), lengthMax);
            return;
        }
        boolean external = qcow2.header.hasExternalDataFile();
        ClusterKind kind = L2Entry.kind(entry);
        if (external && entry == L2Entry.COPIED) {
            set(State.DATA, Math.min(lengthMax, qcow2.clusterSize - inCluster), inCluster);
            return;
        }
        if (kind != ClusterKind.COMPRESSED && kind != ClusterKind.UNALLOCATED) {
            refuse(qcow2, l2Fault(qcow2, entry), "L2 entry", guestOffset);
        }
        long clusters =
                switch (kind) {
                    case UNALLOCATED, ZERO_PLAIN -> run(l2, at, 0);
                    case NORMAL -> soundRun(qcow2, l2, at);
                    case ZERO_ALLOCATED, COMPRESSED -> 1;
                };
        long length = Math.min(lengthMax, (clusters << qcow2.clusterBits) - inCluster);
        long host = L2Entry.hostOffset(entry) + inCluster;
        switch (kind) {
            case UNALLOCATED -> set(State.UNALLOCATED, length, MapExtent.NO_OFFSET);
            case ZERO_PLAIN -> set(State.ZERO, length, MapExtent.NO_OFFSET);
            case ZERO_ALLOCATED -> set(State.ZERO, length, host);
            case NORMAL -> set(State.DATA, length, host);
            case COMPRESSED -> set(State.COMPRESSED, length, MapExtent.NO_OFFSET);
        }
    }

    /** Clusters from an entry on, each {@code step} behind the one before; plain tables alone. */
    private static int run(ByteBuffer l2, int at, long step) {
        long next = l2.getLong(at) + step;
        int end = at + L2Entry.SIZE_BYTES;
        while (end < l2.limit() && l2.getLong(end) == next) {
            next += step;
            end += L2Entry.SIZE_BYTES;
        }
        return (end - at) / L2Entry.SIZE_BYTES;
    }

    /** As {@link #run}; a cluster alone if the last leads out of the file, for that is refused. */
    private static int soundRun(ClosedImage qcow2, ByteBuffer l2, int at) {
        int clusters = run(l2, at, qcow2.clusterSize);
        long last = l2.getLong(at + (clusters - 1) * L2Entry.SIZE_BYTES);
        return l2Fault(qcow2, last).isNone() ? clusters : 1;
    }

    private static EntryFault l2Fault(ClosedImage qcow2, long entry) {
        boolean external = qcow2.header.hasExternalDataFile();
        long limit = external ? Long.MAX_VALUE : qcow2.fileSizeBytes;
        return L2Entry.fault(entry, qcow2.clusterBits, qcow2.header.version(), limit);
    }

    private void lookSubclusters(
            ClosedImage qcow2, long guestOffset, long entry, long bitmap, long lengthMax) {
        boolean hasHost = L2Entry.hasHost(entry, qcow2.header.hasExternalDataFile());
        refuse(qcow2, SubclusterBitmap.fault(entry, bitmap, hasHost), "L2 entry", guestOffset);
        Qcow2Geometry geometry = qcow2.geometry;
        int inCluster = geometry.offsetInCluster(guestOffset);
        if (L2Entry.isCompressed(entry)) {
            set(
                    State.COMPRESSED,
                    Math.min(lengthMax, qcow2.clusterSize - inCluster),
                    MapExtent.NO_OFFSET);
            return;
        }
        int subcluster = geometry.subclusterIndex(guestOffset);
        long end = (subcluster + 1L) << geometry.subclusterBits();
        long length = Math.min(lengthMax, end - inCluster);
        long host = hasHost ? L2Entry.hostOffset(entry) + inCluster : MapExtent.NO_OFFSET;
        if (SubclusterBitmap.isZero(bitmap, subcluster)) {
            set(State.ZERO, length, host);
        } else if (SubclusterBitmap.isAllocated(bitmap, subcluster)) {
            set(State.DATA, length, host);
        } else {
            set(State.UNALLOCATED, length, host);
        }
    }

    private long l1Entry(ClosedImage qcow2, int index) {
        int perBuffer = l1.capacity() / L1Entry.SIZE_BYTES;
        int first = index / perBuffer * perBuffer;
        if (first != l1First) {
            int count = Math.min(perBuffer, qcow2.header.l1Size() - first);
            qcow2.read(
                    qcow2.header.l1TableOffset() + (long) first * L1Entry.SIZE_BYTES,
                    l1,
                    count * L1Entry.SIZE_BYTES);
            l1First = first;
        }
        return l1.getLong((index - first) * L1Entry.SIZE_BYTES);
    }

    private void set(State newState, long newLength, long newHostOffset) {
        state = newState;
        lengthBytes = newLength;
        hostOffset = newHostOffset;
    }

    private static void refuse(ClosedImage qcow2, EntryFault fault, String what, long guestOffset) {
        if (!fault.isNone()) {
            throw qcow2.refusal(
                    BlockError.EIO,
                    "qcow2 map: " + what + " of guest offset " + guestOffset + ": " + fault.text());
        }
    }
}
