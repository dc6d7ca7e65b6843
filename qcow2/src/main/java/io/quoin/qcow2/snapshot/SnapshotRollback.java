package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.DiskRoot;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import org.jspecify.annotations.Nullable;

/**
 * Makes the disk what it was at a snapshot; docs/adr/0028 has the reasons.
 *
 * <pre>
 *  MARK     of possible leaks, durably
 *  HOLD     the whole image; a round of the flusher
 *  READ     the snapshot's L1 table, as far as the disk goes
 *  COUNT    each of its references once more, for the disk
 *  L1       clusters for the disk's new L1 table, which is written
 *  DURABLE  a round of the flusher, then all counts
 *  SWITCH   L1 table and size in the header's first sector: flush
 *  RETIRE   what is in memory is of the disk before: the image takes no change any more
 * </pre>
 *
 * An error before SWITCH takes back what was counted, and the disk goes on as it was. What the disk
 * before had for itself is given back after the next open, by the walk that the mark asks for.
 *
 * <p>Threading: confined(loop).
 */
final class SnapshotRollback {
    private final OpenImage image;
    private final ImageParts parts;
    private final SnapshotEntry entry;
    private final long sizeBytes;
    private final int l1Size;
    private final SnapshotProgress progress;
    private final Outcome ended;
    private long[] l1 = {};
    private @Nullable SettleWalk walk;
    private boolean stopped;

    /**
     * @throws io.quoin.block.BlockException EINVAL for a snapshot whose size its table does not
     *     cover
     */
    SnapshotRollback(
            OpenImage image,
            ImageParts parts,
            SnapshotEntry entry,
            SnapshotProgress progress,
            Outcome ended) {
        Qcow2Header then = parts.header().header().atSnapshot(entry);
        this.image = image;
        this.parts = parts;
        this.entry = entry;
        this.sizeBytes = then.sizeBytes();
        this.l1Size = (int) then.geometry().l1EntriesFor(sizeBytes);
        this.progress = progress;
        this.ended = ended;
    }

    void start() {
        image.whenChangeable(ended.ifOk(() -> mark(ended.ifOk(this::hold))));
    }

    /** It is given up soon, unless the header is being switched. */
    void stop() {
        stopped = true;
    }

    private void mark(Outcome outcome) {
        parts.header().markLeaks(outcome);
    }

    private void hold() {
        image.hold(
                letGo -> {
                    Outcome released =
                            error -> {
                                letGo.run();
                                ended.done(error);
                            };
                    parts.flusher().flush(released.ifOk(() -> read(released)));
                });
    }

    private void read(Outcome outcome) {
        TransferMemory memory;
        try {
            memory = new TransferMemory(Math.max(1, l1Size) * Long.BYTES);
            l1 = new long[l1Size];
        } catch (OutOfMemoryError e) {
            outcome.done(BlockError.ENOMEM);
            return;
        }
        parts.io()
                .read(
                        entry.l1TableOffset(),
                        memory.address(),
                        l1Size * Long.BYTES,
                        error -> {
                            for (int i = 0; i < l1Size && error.isOk(); i++) {
                                l1[i] = memory.bytes().getLong(i * Long.BYTES) & ~L1Entry.COPIED;
                            }
                            memory.close();
                            outcome.ifOk(() -> count(outcome)).done(error);
                        });
    }

    private void count(Outcome outcome) {
        SettleWalk counting;
        try {
            counting =
                    SettleWalk.settle(
                            parts,
                            l1,
                            image.pace(),
                            (done, total) -> progress.advanced(done, total) && !stopped,
                            error -> counted(error, outcome));
        } catch (OutOfMemoryError e) {
            outcome.done(BlockError.ENOMEM);
            return;
        }
        walk = counting;
        counting.resume();
    }

    private void counted(BlockError error, Outcome outcome) {
        if (!error.isOk() || stopped) {
            takeBack(error.isOk() ? BlockError.ESHUTDOWN : error, outcome);
            return;
        }
        L1Copy copy = new L1Copy(parts, MetadataKind.L1_TABLE, l1);
        copy.make(
                made -> {
                    if (made.isOk()) {
                        makeDurable(copy, outcome);
                    } else {
                        takeBack(made, outcome);
                    }
                });
    }

    private void makeDurable(L1Copy copy, Outcome outcome) {
        Outcome durable =
                error -> {
                    if (error.isOk()) {
                        switchDisk(copy, outcome);
                    } else {
                        copy.free();
                        takeBack(error, outcome);
                    }
                };
        parts.flusher().flush(durable.ifOk(() -> parts.refcounts().writeDurably(durable)));
    }

    /** If this fails the header may be on disk or not: the image takes no change any more. */
    private void switchDisk(L1Copy copy, Outcome outcome) {
        Qcow2Header now = parts.header().header();
        parts.header()
                .switchSnapshots(
                        now.snapshotCount(),
                        now.snapshotsOffset(),
                        new DiskRoot(l1Size, copy.hostOffset(), sizeBytes),
                        error -> {
                            parts.io().health().retire("disk was rolled back to " + entry.name());
                            outcome.done(error);
                        });
    }

    private void takeBack(BlockError error, Outcome outcome) {
        parts.refcounts().mayHaveLeaked();
        SettleWalk counted = walk;
        if (counted == null || !parts.io().health().isWritable()) {
            outcome.done(error);
            return;
        }
        try {
            SettleWalk.takeBack(counted, back -> outcome.done(error)).resume();
        } catch (OutOfMemoryError e) {
            outcome.done(error);
        }
    }
}
