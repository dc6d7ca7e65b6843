package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.CutListener;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotGroupLayout;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one snapshot; docs/adr/0025 has the rules.
 *
 * <pre>
 *  PREPARED  it has its turns
 *    --> ROUND --> PREPARED                   a round of the flusher
 *    --> CUTTING  the L1 table of a moment
 *    --> CUT  the round that writes its tables as they were then; guests go on
 *    --> SETTLING  each of its references is counted; clusters for its L1 table, which is written;
 *                  a round of the flusher, then all counts: both durable
 *    --> SETTLED
 *    --> PUBLISHING  the snapshot table with one entry more
 *    --> ENDED
 *
 *  An error before PUBLISHING's switch voids it: what was counted is taken back, what was put off is dropped; ENDED.
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SnapshotCreation implements CutListener, PendingSnapshot {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotCreation.class);

    private enum State {
        PREPARED,
        ROUND,
        CUTTING,
        CUT,
        SETTLING,
        SETTLED,
        PUBLISHING,
        ENDED
    }

    /**
     * What is made.
     *
     * @param uuid of the snapshot, a new one
     * @param group null: it is made alone
     */
    record Wanted(String name, UUID uuid, @Nullable UUID group, SnapshotProgress progress) {}

    private final OpenImage image;
    private final ImageParts parts;
    private final SnapshotTableStore store;
    private final Wanted wanted;
    private final Outcome ended;
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private State state = State.PREPARED;
    private BlockError failure = BlockError.OK;
    private CompletableFuture<Void> step = new CompletableFuture<>();
    private Runnable cancelCut = () -> {};
    private long[] l1 = {};
    private long sizeBytes;
    private Instant moment = Instant.EPOCH;

    /** The tables on disk are those of the moment. */
    private boolean isWritten;

    private @Nullable SettleWalk walk;
    private @Nullable L1Copy copy;
    private boolean frozen;
    private boolean stopped;

    /**
     * @param ended told once, when it is published or voided, before the stage of its last step
     */
    SnapshotCreation(
            OpenImage image,
            ImageParts parts,
            SnapshotTableStore store,
            Wanted wanted,
            Outcome ended) {
        this.image = image;
        this.parts = parts;
        this.store = store;
        this.wanted = wanted;
        this.ended = ended;
    }

    @Override
    public UUID uuid() {
        return wanted.uuid();
    }

    /** The image cannot be changed. */
    void refused(BlockError error) {
        if (state != State.ENDED) {
            over(error);
        }
    }

    /** It is voided soon, unless it is being published. */
    void stop() {
        if (stopped || state == State.ENDED) {
            return;
        }
        stopped = true;
        switch (state) {
            case PREPARED -> over(BlockError.ESHUTDOWN);
            case CUTTING -> cancelCut.run();
            case CUT -> voidIfWritten();
            case SETTLED -> unpublished(BlockError.ESHUTDOWN);
            case ROUND, SETTLING, PUBLISHING, ENDED -> {
                // What is under way looks when it has ended.
            }
        }
    }

    private void voidIfWritten() {
        if (isWritten) {
            voided(BlockError.ESHUTDOWN);
        }
    }

    @Override
    public CompletionStage<Void> abandon() {
        stop();
        return over;
    }

    @Override
    public CompletionStage<Void> round() {
        return take(
                State.PREPARED,
                State.ROUND,
                () ->
                        parts.flusher()
                                .flush(
                                        error -> {
                                            if (error.isOk() && !stopped) {
                                                taken(State.PREPARED);
                                            } else {
                                                over(orStopped(error));
                                            }
                                        }));
    }

    @Override
    public CompletionStage<Void> cut() {
        return take(State.PREPARED, State.CUTTING, () -> cancelCut = image.cut(this));
    }

    @Override
    public void cancelCut() {
        if (state == State.CUTTING) {
            cancelCut.run();
        }
    }

    @Override
    public CompletionStage<Void> settle() {
        return take(
                State.CUT,
                State.SETTLING,
                () -> {
                    if (isWritten) {
                        startSettling();
                    }
                });
    }

    @Override
    public CompletionStage<SnapshotInfo> publish(boolean isFrozen) {
        return take(
                        State.SETTLED,
                        State.PUBLISHING,
                        () -> {
                            frozen = isFrozen;
                            publish();
                        })
                .thenApply(nothing -> published());
    }

    /** Begins a step. It has failed already if the snapshot is void. */
    private CompletionStage<Void> take(State from, State to, Runnable work) {
        if (state == State.ENDED || stopped) {
            return over.thenCompose(nothing -> CompletableFuture.failedFuture(notMade()));
        }
        if (state != from) {
            throw new IllegalStateException("snapshot: state=" + state + ", expected=" + from);
        }
        CompletableFuture<Void> begun = new CompletableFuture<>();
        step = begun;
        state = to;
        work.run();
        return begun;
    }

    /** Ends a step: calls out, last. */
    private void taken(State next) {
        state = next;
        step.complete(null);
    }

    private BlockError orStopped(BlockError error) {
        return error.isOk() ? BlockError.ESHUTDOWN : error;
    }

    /** It is published or void: calls out, last. */
    private void over(BlockError error) {
        state = State.ENDED;
        failure = error;
        ended.done(error);
        if (error.isOk()) {
            step.complete(null);
        } else {
            step.completeExceptionally(notMade());
        }
        over.complete(null);
    }

    private BlockException notMade() {
        BlockError error = orStopped(failure);
        return new BlockException(
                error,
                "snapshot: file="
                        + parts.io().file().fileName()
                        + ", not made: name="
                        + wanted.name()
                        + ": "
                        + error.text());
    }

    private SnapshotInfo published() {
        for (SnapshotEntry entry : store.table().entries()) {
            if (wanted.uuid().equals(entry.uuid())) {
                return ImageSnapshots.info(entry, store.imageSizeBytes());
            }
        }
        throw notMade();
    }

    @Override
    public void failed(BlockError error) {
        over(error);
    }

    @Override
    public void lost(long[] l1OfMoment, BlockError error) {
        l1 = l1OfMoment;
        finishVoid(error, 0);
    }

    @Override
    public void moment() {
        if (state == State.CUTTING) {
            moment = Instant.now();
            taken(State.CUT);
        }
    }

    @Override
    public void cut(long[] l1OfMoment, long sizeOfMoment) {
        l1 = l1OfMoment;
        sizeBytes = sizeOfMoment;
        isWritten = true;
        if (stopped) {
            voided(BlockError.ESHUTDOWN);
        } else if (state == State.SETTLING) {
            startSettling();
        } else {
            moment();
        }
    }

    private void startSettling() {
        SettleWalk settling;
        try {
            settling = SettleWalk.settle(parts, l1, image.pace(), this::advanced, this::settled);
        } catch (OutOfMemoryError e) {
            finishVoid(BlockError.ENOMEM, 0);
            return;
        }
        walk = settling;
        settling.resume();
    }

    private boolean advanced(long done, long total) {
        return wanted.progress().advanced(done, total) && !stopped;
    }

    private void settled(BlockError outcome) {
        if (!outcome.isOk() || stopped) {
            voided(orStopped(outcome));
            return;
        }
        L1Copy copied = new L1Copy(parts, MetadataKind.SNAPSHOT_L1, l1);
        copied.make(
                error -> {
                    if (error.isOk()) {
                        copy = copied;
                        makeDurable();
                    } else {
                        voided(error);
                    }
                });
    }

    /** The round has begun after the last reference was counted. */
    private void makeDurable() {
        Outcome durable =
                error -> {
                    if (error.isOk() && !stopped) {
                        taken(State.SETTLED);
                    } else {
                        unpublished(orStopped(error));
                    }
                };
        parts.flusher().flush(durable.ifOk(() -> parts.refcounts().writeDurably(durable)));
    }

    private void publish() {
        List<SnapshotEntry> entries = new ArrayList<>(store.table().entries());
        entries.add(entry(Objects.requireNonNull(copy)));
        store.replace(
                entries,
                error -> {
                    if (error.isOk()) {
                        parts.flusher().endDeferring();
                        over(BlockError.OK);
                    } else {
                        unpublished(error);
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
                OpaqueBytes.copyOf(wanted.name().getBytes(StandardCharsets.UTF_8)),
                (int) moment.getEpochSecond(),
                moment.getNano(),
                0,
                0,
                sizeBytes,
                -1,
                SnapshotGroupLayout.laterExtra(wanted.uuid(), wanted.group(), frozen));
    }

    private void unpublished(BlockError error) {
        if (!parts.io().health().isWritable()) {
            // The header may lead to it: nothing is changed any more.
            parts.flusher().endDeferring();
            over(error);
            return;
        }
        Objects.requireNonNull(copy).free();
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
                wanted.name(),
                error);
        over(error);
    }
}
