package io.quoin.qcow2.info;

import io.quoin.block.BlockError;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What one image of a chain has at a guest offset. Keeps the L2 table that it looked at last.
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
    private final ByteBuffer l2;
    private int l1First = -1;
    private long l2HostOffset;

    private State state = State.UNALLOCATED;
    private long lengthBytes;
    private long hostOffset;

    LayerMap(@Nullable ClosedImage image, long sizeBytes) {
        this.image = image;
        this.sizeBytes = sizeBytes;
        this.l1 = image == null ? ByteBuffer.allocate(0) : image.tableBuffer();
        this.l2 = ByteBuffer.allocate(image == null ? 0 : image.clusterSize);
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
        if (image == null) {
            set(State.DATA, Math.min(lengthMax, sizeBytes - guestOffset), guestOffset);
            return;
        }
        Qcow2Geometry geometry = image.geometry;
        long entry = l1Entry(image, geometry.l1Index(guestOffset));
        if (!L1Entry.isAllocated(entry)) {
            long end =
                    unallocatedEnd(
                            geometry, geometry.l1Index(guestOffset), guestOffset + lengthMax);
            set(State.UNALLOCATED, end - guestOffset, MapExtent.NO_OFFSET);
            return;
        }
        refuse(
                image,
                L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes),
                "L1 entry",
                guestOffset);
        if (L1Entry.hostOffset(entry) != l2HostOffset) {
            l2HostOffset = L1Entry.hostOffset(entry);
            image.read(l2HostOffset, l2, image.clusterSize);
        }
        lookL2(image, guestOffset, lengthMax);
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

    private void lookL2(ClosedImage qcow2, long guestOffset, long lengthMax) {
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
            long limit = external ? Long.MAX_VALUE : qcow2.fileSizeBytes;
            refuse(
                    qcow2,
                    L2Entry.fault(entry, qcow2.clusterBits, qcow2.header.version(), limit),
                    "L2 entry",
                    guestOffset);
        }
        long length = Math.min(lengthMax, qcow2.clusterSize - inCluster);
        long host = L2Entry.hostOffset(entry) + inCluster;
        switch (kind) {
            case UNALLOCATED -> set(State.UNALLOCATED, length, MapExtent.NO_OFFSET);
            case ZERO_PLAIN -> set(State.ZERO, length, MapExtent.NO_OFFSET);
            case ZERO_ALLOCATED -> set(State.ZERO, length, host);
            case NORMAL -> set(State.DATA, length, host);
            case COMPRESSED -> set(State.COMPRESSED, length, MapExtent.NO_OFFSET);
        }
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
