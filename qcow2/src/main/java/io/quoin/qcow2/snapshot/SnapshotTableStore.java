package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.DiskRoot;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import io.quoin.qcow2.refcount.Refcounts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The snapshot table of an open image, and how another one takes its place:
 *
 * <pre>
 *  ALLOCATE  clusters in one piece, counted on disk; none for a table without entries
 *  WRITE     the whole table: flush, which covers all that completed before, too
 *  SWITCH    the header's first sector: flush
 *  FREE      the clusters of the table before
 * </pre>
 *
 * A crash before SWITCH leaves the table before, and leaked clusters. What an entry needs (its L1
 * table, its counts) has to be written before; WRITE's flush makes it durable.
 *
 * <p>Threading: confined(loop); one change at a time, which is the caller's to see to.
 */
public final class SnapshotTableStore {
    private final ImageIo io;
    private final HeaderStore header;
    private final Refcounts refcounts;
    private final int clusterBits;
    private SnapshotTable table;

    /**
     * @param table as it is on disk
     */
    public SnapshotTableStore(
            ImageIo io, HeaderStore header, Refcounts refcounts, SnapshotTable table) {
        this.io = io;
        this.header = header;
        this.refcounts = refcounts;
        this.clusterBits = header.header().clusterBits();
        this.table = table;
    }

    /** The table to which the header on disk leads. */
    public SnapshotTable table() {
        return table;
    }

    /** The virtual size of the disk. */
    long imageSizeBytes() {
        return header.header().sizeBytes();
    }

    /** As {@link #replace(List, DiskRoot, Outcome)}; the disk stays as it is. */
    public void replace(List<SnapshotEntry> entries, Outcome outcome) {
        replace(entries, null, outcome);
    }

    /**
     * Makes {@code entries} the image's snapshots, durably.
     *
     * @param root what the disk becomes by the same write of the header; null: it stays as it is
     * @param outcome EFBIG for more than a table may have, ENOSPC; then nothing has changed
     */
    public void replace(List<SnapshotEntry> entries, @Nullable DiskRoot root, Outcome outcome) {
        SnapshotTableLayout.Encoded encoded;
        try {
            encoded = SnapshotTableLayout.encode(entries, header.header().sizeBytes());
        } catch (BlockException e) {
            outcome.done(e.error());
            return;
        }
        if (!io.health().isWritable()) {
            outcome.done(io.health().refusal());
        } else if (entries.isEmpty()) {
            switchTo(encoded.table(), 0, root, outcome);
        } else {
            refcounts.allocateRun(
                    clustersOf(encoded.table()),
                    first -> {
                        if (first < 0) {
                            outcome.done(BlockError.ENOSPC);
                        } else {
                            write(encoded, first, root, outcome);
                        }
                    });
        }
    }

    private int clustersOf(SnapshotTable some) {
        return (int) ((some.sizeBytes() + (1L << clusterBits) - 1) >>> clusterBits);
    }

    private void write(
            SnapshotTableLayout.Encoded encoded,
            long first,
            @Nullable DiskRoot root,
            Outcome outcome) {
        int clusters = clustersOf(encoded.table());
        io.map().addAll(first, clusters, MetadataKind.SNAPSHOT_TABLE);
        Outcome written =
                error -> {
                    if (error.isOk()) {
                        switchTo(encoded.table(), first << clusterBits, root, outcome);
                    } else {
                        free(first, clusters);
                        outcome.done(error);
                    }
                };
        int lengthBytes = clusters << clusterBits;
        TransferMemory memory;
        try {
            memory = new TransferMemory(lengthBytes);
        } catch (OutOfMemoryError e) {
            written.done(BlockError.ENOMEM);
            return;
        }
        memory.bytes().put(encoded.bytes());
        io.write(
                MetadataKind.SNAPSHOT_TABLE,
                first << clusterBits,
                memory.address(),
                lengthBytes,
                error -> {
                    memory.close();
                    written.ifOk(() -> io.flush(written)).done(error);
                });
    }

    /** If this fails the header may be on disk or not: both tables stay. */
    private void switchTo(
            SnapshotTable next, long hostOffset, @Nullable DiskRoot root, Outcome outcome) {
        Qcow2Header before = header.header();
        header.switchSnapshots(
                next.entries().size(),
                hostOffset,
                root,
                outcome.ifOk(
                        () -> {
                            int oldClusters = clustersOf(table);
                            table = next;
                            free(before.snapshotsOffset() >>> clusterBits, oldClusters);
                            outcome.done(BlockError.OK);
                        }));
    }

    private void free(long first, int clusters) {
        ClusterRuns runs = new ClusterRuns();
        runs.add(first, clusters);
        refcounts.unreferenced(runs);
    }
}
