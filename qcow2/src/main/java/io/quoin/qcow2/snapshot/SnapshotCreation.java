package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cluster.CutListener;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one snapshot; docs/adr/0025 has the rules.
 *
 * <pre>
 *  CUT      the L1 table of a moment, and its tables on disk as they were then
 *  SETTLE   each of its references is counted
 *  L1       clusters for its L1 table, which is written
 *  ROUND    a round of the flusher, then all counts: both durable
 *  PUBLISH  the snapshot table with one entry more
 *
 *  VOID     after an error before PUBLISH's switch: what was counted is taken back, what was put off is dropped
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SnapshotCreation implements CutListener {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotCreation.class);

    private final OpenImage image;
    private final ImageParts parts;
    private final SnapshotTableStore store;
    private final String name;
    private final UUID uuid;
    private final SnapshotProgress progress;
    private final Outcome ended;
    private long[] l1 = {};
    private long sizeBytes;
    private Instant moment = Instant.EPOCH;
    private @Nullable SettleWalk walk;
    private boolean stopped;

    SnapshotCreation(
            OpenImage image,
            ImageParts parts,
            SnapshotTableStore store,
            String name,
            UUID uuid,
            SnapshotProgress progress,
            Outcome ended) {
        this.image = image;
        this.parts = parts;
        this.store = store;
        this.name = name;
        this.uuid = uuid;
        this.progress = progress;
        this.ended = ended;
    }

    void start() {
        image.whenChangeable(ended.ifOk(() -> image.cut(this)));
    }

    /** It is voided soon, unless it is being published. */
    void stop() {
        stopped = true;
    }

    @Override
    public void failed(BlockError error) {
        ended.done(error);
    }

    @Override
    public void lost(long[] l1OfMoment, BlockError error) {
        l1 = l1OfMoment;
        finishVoid(error, 0);
    }

    @Override
    public void cut(long[] l1OfMoment, long sizeOfMoment) {
        l1 = l1OfMoment;
        sizeBytes = sizeOfMoment;
        moment = Instant.now();
        SettleWalk settling;
        try {
            settling = SettleWalk.settle(parts, l1, this::advanced, this::settled);
        } catch (OutOfMemoryError e) {
            finishVoid(BlockError.ENOMEM, 0);
            return;
        }
        walk = settling;
        settling.resume();
    }

    private boolean advanced(long done, long total) {
        return progress.advanced(done, total) && !stopped;
    }

    private void settled(BlockError outcome) {
        if (!outcome.isOk() || stopped) {
            voided(outcome.isOk() ? BlockError.ESHUTDOWN : outcome);
            return;
        }
        L1Copy copied = new L1Copy(parts, MetadataKind.SNAPSHOT_L1, l1);
        copied.make(
                error -> {
                    if (error.isOk()) {
                        makeDurable(copied);
                    } else {
                        voided(error);
                    }
                });
    }

    /** The round has begun after the last reference was counted. */
    private void makeDurable(L1Copy copied) {
        Outcome durable =
                error -> {
                    if (error.isOk() && !stopped) {
                        publish(copied);
                    } else {
                        unpublished(copied, error.isOk() ? BlockError.ESHUTDOWN : error);
                    }
                };
        parts.flusher().flush(durable.ifOk(() -> parts.refcounts().writeDurably(durable)));
    }

    private void publish(L1Copy copied) {
        List<SnapshotEntry> entries = new ArrayList<>(store.table().entries());
        entries.add(entry(copied));
        store.replace(
                entries,
                error -> {
                    if (error.isOk()) {
                        parts.flusher().endDeferring();
                        ended.done(BlockError.OK);
                    } else {
                        unpublished(copied, error);
                    }
                });
    }

    private SnapshotEntry entry(L1Copy copied) {
        String id = SnapshotNames.nextId(store.table());
        return new SnapshotEntry(
                0,
                copied.hostOffset(),
                l1.length,
                OpaqueBytes.copyOf(id.getBytes(StandardCharsets.UTF_8)),
                OpaqueBytes.copyOf(name.getBytes(StandardCharsets.UTF_8)),
                (int) moment.getEpochSecond(),
                moment.getNano(),
                0,
                0,
                sizeBytes,
                -1,
                SnapshotTableLayout.laterExtra(uuid));
    }

    private void unpublished(L1Copy copied, BlockError error) {
        if (!parts.io().health().isWritable()) {
            // The header may lead to it: nothing is changed any more.
            parts.flusher().endDeferring();
            ended.done(error);
            return;
        }
        copied.free();
        voided(error);
    }

    /**
     * Takes back what was counted, before what was put off is dropped: it reads the same tables.
     */
    private void voided(BlockError error) {
        SettleWalk counted = walk;
        if (counted == null) {
            finishVoid(error, 0);
            return;
        }
        int untouched = counted.firstUntouched();
        try {
            SettleWalk.takeBack(counted, back -> finishVoid(error, untouched)).resume();
        } catch (OutOfMemoryError e) {
            finishVoid(error, untouched);
        }
    }

    private void finishVoid(BlockError error, int untouched) {
        parts.refcounts().mayHaveLeaked();
        parts.tables().undoCut(l1, untouched);
        for (int i = 0; i < l1.length; i++) {
            parts.flusher().settled(i);
        }
        parts.flusher().endDeferring();
        LOG.warn(
                "snapshot is not made: file={}, name={}, error={}",
                parts.io().file().fileName(),
                name,
                error);
        ended.done(error);
    }
}
