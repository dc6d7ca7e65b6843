package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;

/**
 * Puts the metadata of an image that is being opened for writing into the map. Two tables in one
 * place are found here, and more of them than memory is set aside for; entries with other faults
 * when they are followed.
 *
 * <p>Threading: confined(loop).
 */
record MetadataClaims(MetadataMap map, int clusterBits, String fileName) {
    /** All but bitmaps. */
    void addAll(Opening opening) {
        Qcow2Header header = opening.header();
        long fileSize = opening.io.fileSizeBytes();
        map.add(0, MetadataKind.HEADER);
        add(header.l1TableOffset(), header.l1Size() * 8L, MetadataKind.L1_TABLE, "L1 table");
        add(
                header.refcountTableOffset(),
                header.refcountTableBytes(),
                MetadataKind.REFCOUNT_TABLE,
                "refcount table");
        SnapshotTable snapshots = opening.snapshots();
        requireRoom(
                snapshots.entries().stream()
                        .mapToLong(snapshot -> ((snapshot.l1Size() * 8L) >>> clusterBits) + 1)
                        .sum());
        add(
                header.snapshotsOffset(),
                snapshots.sizeBytes(),
                MetadataKind.SNAPSHOT_TABLE,
                "snapshot table");
        for (SnapshotEntry snapshot : snapshots.entries()) {
            add(
                    snapshot.l1TableOffset(),
                    snapshot.l1Size() * 8L,
                    MetadataKind.SNAPSHOT_L1,
                    "L1 table of snapshot " + snapshot.id());
        }
        for (int i = 0; i < opening.refcountTable().length; i++) {
            long entry = opening.refcountTable()[i];
            if (entry != 0 && RefcountLayout.tableFault(entry, clusterBits, fileSize).isNone()) {
                add(entry, 1, MetadataKind.REFCOUNT_BLOCK, "refcount block " + i);
            }
        }
        for (int i = 0; i < opening.l1().length; i++) {
            long entry = opening.l1()[i];
            if (L1Entry.isAllocated(entry)
                    && L1Entry.fault(entry, clusterBits, fileSize).isNone()) {
                add(L1Entry.hostOffset(entry), 1, MetadataKind.L2_TABLE, "L2 table " + i);
            }
        }
    }

    private void requireRoom(long clusters) {
        if (!map.hasRoom(clusters)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "image has more metadata than are kept track of while it is written: file="
                            + fileName
                            + ", clusters of the next tables="
                            + clusters
                            + ", expected=in all within "
                            + MetadataMap.GROUPS_AT_OPEN_MAX
                            + " groups of 16; open it read-only");
        }
    }

    private void add(long hostOffset, long lengthBytes, MetadataKind kind, String what) {
        if (lengthBytes == 0) {
            return;
        }
        long first = hostOffset >>> clusterBits;
        long last = (hostOffset + lengthBytes - 1) >>> clusterBits;
        requireRoom(last - first + 1);
        if (!map.addAll(first, last - first + 1, kind)) {
            throw new BlockException(
                    BlockError.EIO,
                    "image is corrupt: file="
                            + fileName
                            + ", "
                            + what
                            + " overlaps other metadata: hostOffset="
                            + hostOffset
                            + "; open it read-only, or see quoin image check");
        }
    }
}
