package io.quoin.qcow2.diff;

import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;

/**
 * A state of a disk that is compared: what its mapping begins with, and how large it is.
 *
 * <p>Threading: immutable.
 *
 * @param l1TableOffset host offset of its L1 table
 * @param l1Size entries of that; 0: nothing is mapped
 * @param sizeBytes of the disk
 */
public record DiskState(long l1TableOffset, int l1Size, long sizeBytes) {
    /** The disk of {@code header}, as it is on disk. */
    public static DiskState head(Qcow2Header header) {
        return new DiskState(header.l1TableOffset(), header.l1Size(), header.sizeBytes());
    }

    /** The disk at a snapshot, without what the snapshot keeps of a guest's memory. */
    public static DiskState at(Qcow2Header header, SnapshotEntry snapshot) {
        return head(header.atSnapshot(snapshot));
    }

    /** A disk of that size to which nothing has been written. */
    public static DiskState empty(long sizeBytes) {
        return new DiskState(0, 0, sizeBytes);
    }
}
