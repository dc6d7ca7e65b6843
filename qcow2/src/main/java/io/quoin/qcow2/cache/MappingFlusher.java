package io.quoin.qcow2.cache;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the mapping durable: the only writer of L2 tables and of the L1 table. One round at a time;
 * requests that come in meanwhile share the next one.
 *
 * <pre>
 *  IDLE --> stage: copy changed units, take the list of dropped clusters
 *       --> COUNTS  write refcounts that were raised for entries of this round
 *       --> DATA    flush, if counts were written or an entry points to data that has to be durable first (COW, reused clusters)
 *       --> COPY    read the rest of tables that are copies
 *       --> TABLES  write L2 units; and L1 units too, unless
 *       --> CONTENT an L2 table's content must be durable first: flush, then write L1 units
 *       --> COMMIT  flush; then complete the waiters and hand the dropped clusters on
 * </pre>
 *
 * A round that only has to make room ends before COMMIT: what it has written may go from memory. It
 * keeps the dropped clusters, and the next COMMIT is for it too.
 *
 * <p>A crash in TABLES leaves some entries new and some old; each new one points to durable or
 * never used clusters that are counted already, each old one to clusters that are still counted.
 *
 * <p>Threading: confined(loop).
 */
public final class MappingFlusher extends Steps {
    private static final long IDLE_FLUSH_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int DROPPED_RUNS_HIGH = 4096;

    private enum State {
        IDLE,
        COUNTS,
        DATA,
        COPY,
        TABLES,
        CONTENT,
        COMMIT,
        EXCLUSIVE
    }

    private final ImageIo io;
    private final MappingTables tables;
    private final FreeSink sink;
    private final StagingArea staging;
    private final List<Steps> roomWaiters = new ArrayList<>();
    private final List<Consumer<Runnable>> exclusives = new ArrayList<>();
    private List<IoRequest> current = new ArrayList<>();
    private List<IoRequest> next = new ArrayList<>();
    private List<Outcome> currentOutcomes = new ArrayList<>();
    private List<Outcome> nextOutcomes = new ArrayList<>();
    private ClusterRuns dropped = new ClusterRuns();
    private ClusterRuns dropping = new ClusterRuns();
    private State state = State.IDLE;
    private int pending;
    private boolean wanted;
    private boolean writeWanted;
    private boolean commits;
    private boolean uncommitted;
    private boolean dataFirst;
    private boolean contentFirst;
    private BlockError error = BlockError.OK;
    private Loop.@Nullable Timer timer;
    private @Nullable Runnable cut;
    private @Nullable DeferredDrops deferred;

    public MappingFlusher(ImageIo io, MappingTables tables, FreeSink sink) {
        this.io = io;
        this.tables = tables;
        this.sink = sink;
        this.staging = new StagingArea(tables);
        tables.whenDirty(this::startTimer);
        tables.slices().whenRoomIsShort(this::writeSoon);
    }

    /** Completes {@code request} once everything that completed before this call is durable. */
    public void flush(IoRequest request) {
        if (!io.health().isWritable()) {
            request.complete(io.health().refusal());
        } else if (isDurable()) {
            io.flushFor(request);
        } else {
            next.add(request);
            resume();
        }
    }

    /** As {@link #flush(IoRequest)} for an internal use. */
    public void flush(Outcome outcome) {
        nextOutcomes.add(outcome);
        resume();
    }

    /**
     * Makes a round that begins with {@code moment}: what that finds changed is what the round
     * writes, where it has its place then.
     *
     * @param moment is not called if the outcome is an error before it
     */
    public void cut(Runnable moment, Outcome outcome) {
        cut = moment;
        flush(outcome);
    }

    /** From now on references that go away under entries of {@code l1} are not counted down. */
    public void defer(long[] l1) {
        deferred = new DeferredDrops(l1);
    }

    /** References that have gone away under an entry take the way of all others from now on. */
    public void settled(int l1Index) {
        DeferredDrops all = deferred;
        ClusterRuns runs = all == null ? null : all.settled(l1Index);
        for (int i = 0; runs != null && i < runs.size(); i++) {
            for (int j = 0; j < runs.count(i); j++) {
                drop(runs.start(i) + j);
            }
        }
    }

    /** Every entry is settled. */
    public void endDeferring() {
        deferred = null;
    }

    /** Whether more is put off than there should be memory for. */
    public boolean isDeferringFull() {
        DeferredDrops all = deferred;
        return all != null && all.isFull();
    }

    /** Has a round made soon, without waiting for it. */
    public void nudge() {
        if (!wanted) {
            wanted = true;
            if (state == State.IDLE) {
                io.loop().execute(this::resume);
            }
        }
    }

    /** Has what is changed written soon, without waiting for it, nor having it made durable. */
    public void writeSoon() {
        if (!writeWanted) {
            writeWanted = true;
            if (state == State.IDLE) {
                io.loop().execute(this::resume);
            }
        }
    }

    /** Resumes {@code waiter} after the next round. */
    public void awaitRoom(Steps waiter) {
        roomWaiters.add(waiter);
        writeWanted = true;
        resume();
    }

    /**
     * Nothing is written here while {@code body} has the turn; it runs what it is given to end it.
     */
    public void exclusive(Consumer<Runnable> body) {
        exclusives.add(body);
        resume();
    }

    /**
     * One reference to {@code clusterIndex} has been taken out of an entry in memory. It is handed
     * to the sink once the entry is durable.
     */
    public void drop(long clusterIndex) {
        if (isClean()) {
            startTimer();
        }
        dropped.add(clusterIndex);
        sink.unlinked(clusterIndex);
        if (dropped.size() >= DROPPED_RUNS_HIGH) {
            nudge();
        }
    }

    /** As {@link #drop(long)} of a reference that stood under an entry of the L1 table. */
    public void drop(int l1Index, long clusterIndex) {
        DeferredDrops pending = deferred;
        if (pending != null && pending.defers(l1Index)) {
            pending.add(l1Index, clusterIndex);
            sink.unlinked(clusterIndex);
        } else {
            drop(clusterIndex);
        }
    }

    /** Adds the clusters whose reference is out of an entry in memory and maybe still on disk. */
    public void addDropped(ClusterRuns into) {
        into.addAll(dropped);
        into.addAll(dropping);
    }

    public boolean isClean() {
        return tables.isClean() && dropped.isEmpty() && !uncommitted;
    }

    /** Whether every entry that anything goes by is on disk: a flush would find data alone. */
    public boolean isDurable() {
        return state == State.IDLE && isClean();
    }

    /** No internal flush will start any more. */
    public void stop() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    private void startTimer() {
        if (timer == null) {
            timer =
                    io.loop()
                            .schedule(
                                    IDLE_FLUSH_NANOS,
                                    () -> {
                                        timer = null;
                                        nudge();
                                    });
        }
    }

    @Override
    public void fail(BlockError failure) {
        error = failure;
    }

    @Override
    protected boolean step() {
        if (pending > 0) {
            return false;
        }
        if (!error.isOk() && state != State.IDLE && state != State.EXCLUSIVE) {
            end();
            return true;
        }
        switch (state) {
            case IDLE -> {
                return begin();
            }
            case COUNTS -> flushData();
            case DATA -> copyTables();
            case COPY -> writeTables();
            case TABLES -> {
                if (contentFirst) {
                    startFlush(State.CONTENT);
                } else if (commits) {
                    startFlush(State.COMMIT);
                } else {
                    end();
                }
            }
            case CONTENT -> {
                contentFirst = false;
                state = State.TABLES;
                write(staging.l1From(), staging.count());
            }
            case COMMIT -> end();
            case EXCLUSIVE -> {
                return false;
            }
        }
        return true;
    }

    private boolean begin() {
        if (!exclusives.isEmpty()) {
            state = State.EXCLUSIVE;
            exclusives.remove(0).accept(this::exclusiveEnded);
            return true;
        }
        commits = wanted || !next.isEmpty() || !nextOutcomes.isEmpty();
        if (!commits && !writeWanted) {
            return false;
        }
        wanted = false;
        writeWanted = false;
        List<IoRequest> requests = current;
        current = next;
        next = requests;
        List<Outcome> outcomes = currentOutcomes;
        currentOutcomes = nextOutcomes;
        nextOutcomes = outcomes;
        Runnable moment = cut;
        cut = null;
        error = io.health().refusal();
        if (!error.isOk()) {
            end();
            return true;
        }
        if (moment != null) {
            moment.run();
        }
        if (!stage()) {
            error = BlockError.ENOMEM;
            end();
            return true;
        }
        if (sink.hasRaised()) {
            state = State.COUNTS;
            pending++;
            sink.writeRaised(this::pieceDone);
        } else if (dataFirst) {
            flushData();
        } else {
            copyTables();
        }
        return true;
    }

    private void exclusiveEnded() {
        state = State.IDLE;
        resume();
    }

    /** False if there is no memory for it: nothing has changed then. */
    private boolean stage() {
        if (!staging.stage()) {
            staging.clear();
            return false;
        }
        tables.staged();
        // The last flush of a round does not reach an external data file.
        dataFirst = (commits && io.hasDataFile()) || staging.flushNeeded() > io.flushesDone();
        contentFirst = staging.hasNewTables();
        if (commits) {
            ClusterRuns empty = dropping;
            dropping = dropped;
            dropped = empty;
        }
        return true;
    }

    private void copyTables() {
        if (staging.hasCopies()) {
            state = State.COPY;
            pending++;
            staging.copy(io, this::pieceDone);
        } else {
            writeTables();
        }
    }

    private void writeTables() {
        state = State.TABLES;
        write(0, contentFirst ? staging.l1From() : staging.count());
    }

    private void write(int from, int to) {
        pending++;
        for (int i = from; i < to; i++) {
            pending++;
            staging.write(io, i, this::pieceDone);
        }
        pending--;
    }

    private void flushData() {
        state = State.DATA;
        pending++;
        io.flushData(this::pieceDone);
    }

    private void startFlush(State newState) {
        state = newState;
        pending++;
        io.flush(this::pieceDone);
    }

    private void pieceDone(BlockError outcome) {
        pending--;
        if (!outcome.isOk() && error.isOk()) {
            error = outcome;
        }
        if (pending == 0) {
            resume();
        }
    }

    /**
     * Nothing of the round is under way any more: it succeeded, or is put back, or was the last.
     */
    private void end() {
        BlockError outcome = error;
        error = BlockError.OK;
        state = State.IDLE;
        if (outcome.isOk()) {
            staging.written();
            uncommitted = !commits;
            if (uncommitted) {
                startTimer();
            }
            if (!dropping.isEmpty()) {
                ClusterRuns runs = dropping;
                dropping = new ClusterRuns();
                sink.unreferenced(runs);
            }
        } else if (isPassing(outcome) && io.health().isWritable()) {
            // The room may come back: what was staged is dirty again and the next round tries.
            staging.restore();
            dropped.addAll(dropping);
            dropping = new ClusterRuns();
        } else {
            io.health().fence("metadata write failed", outcome);
        }
        staging.clear();
        tables.slices().stuck(!outcome.isOk());
        answer(outcome);
    }

    private static boolean isPassing(BlockError outcome) {
        return outcome == BlockError.ENOSPC || outcome == BlockError.ENOMEM;
    }

    private void answer(BlockError outcome) {
        for (int i = 0; i < current.size(); i++) {
            current.get(i).complete(outcome);
        }
        current.clear();
        for (int i = 0; i < currentOutcomes.size(); i++) {
            currentOutcomes.get(i).done(outcome);
        }
        currentOutcomes.clear();
        if (!roomWaiters.isEmpty()) {
            List<Steps> waiters = new ArrayList<>(roomWaiters);
            roomWaiters.clear();
            Steps.resumeAll(waiters, outcome);
        }
    }
}
