package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.FreeSink;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.Qcow2Header;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host clusters of an open image: which are free, what gets them, and what happens when a
 * reference goes away. Its work is a queue of tasks of which one runs at a time.
 *
 * <p>Threading: confined(loop).
 */
public final class Refcounts implements FreeSink {
    private static final Logger LOG = LoggerFactory.getLogger(Refcounts.class);

    private final RefcountBlocks blocks;
    private final ClusterReserve reserve;
    private final HeaderStore header;
    private final boolean punch;
    private final boolean lazy;
    private final Runnable refill = this::refill;
    private final ArrayDeque<Job> queue = new ArrayDeque<>();
    private Raises raises = new Raises();
    private boolean raisedUnwritten;
    private boolean busy;
    private boolean starting;
    private boolean leaked;
    private boolean reserving;
    private boolean toldFull;
    private @Nullable Outcome closing;
    private boolean closeStarted;
    private boolean unsettled;

    /** Whether a refcount block could not be read: counts could not be made anew either. */
    private boolean unreadable;

    private @Nullable ClusterRuns recording;
    private @Nullable ClusterRuns keptMetadata;
    private @Nullable RefcountTask current;

    /**
     * @param table the entries of the refcount table
     * @param cache where slices of refcount blocks have their memory
     */
    public Refcounts(
            ImageIo io,
            MetadataMap map,
            Qcow2Header qcow2Header,
            HeaderStore header,
            long[] table,
            SliceCache cache) {
        this.blocks = new RefcountBlocks(io, map, qcow2Header, table, cache);
        long clusterSize = qcow2Header.clusterSizeBytes();
        long end = (io.fileSizeBytes() + clusterSize - 1) / clusterSize;
        this.reserve =
                new ClusterReserve(
                        qcow2Header.clusterBits(), end, qcow2Header.refcounts().blockEntries());
        this.header = header;
        this.lazy = qcow2Header.version() >= 3 && qcow2Header.lazyRefcounts();
        this.punch = io.file().capabilities().canDiscard();
    }

    /** Up to {@code countMax} contiguous clusters, counted on disk; null if none is ready. */
    public @Nullable Allocation take(int countMax, Allocation into) {
        Allocation taken = reserve.take(countMax, into);
        ClusterRuns record = recording;
        if (record != null && taken != null) {
            record.add(taken.start(), taken.count());
        }
        if (!reserving && reserve.readyCount() < reserve.target() / 2) {
            // Not from inside the taker: a waiter that is resumed then would come between its
            // steps.
            reserving = true;
            blocks.io().loop().execute(refill);
        }
        return taken;
    }

    /**
     * Resumes {@code waiter} when there may be clusters to {@link #take}; an error is told it
     * first.
     */
    public void await(Steps waiter) {
        reserve.await(waiter);
        reserveMore();
    }

    /** Takes back clusters that were taken and to which nothing points. */
    public void putBack(long start, int count) {
        reserve.putBack(start, count);
    }

    /** The highest count that a cluster can have; unsigned. */
    public long countMax() {
        return blocks.layout().countMax();
    }

    /**
     * Adds a reference to a cluster whose count is the caller's to rely on. The count is raised
     * before any reference goes away that is given to {@link #unreferenced} from now on, and is on
     * disk after {@link #writeRaised}.
     */
    public void raise(long cluster) {
        raises.add(cluster);
        blocks.unlinked(cluster);
        ClusterRuns record = recording;
        if (record != null) {
            record.add(cluster);
        }
    }

    /**
     * Takes back a {@link #raise} that has had no effect yet: the caller's own reference is used in
     * its place. False if there is none.
     */
    public boolean takeBack(long cluster) {
        return raises.takeBack(cluster);
    }

    @Override
    public boolean hasRaised() {
        return raisedUnwritten || !raises.isEmpty();
    }

    @Override
    public void writeRaised(Outcome outcome) {
        RaiseTask task = raiseTask(true);
        raisedUnwritten = false;
        enqueue(
                task,
                () -> {
                    raisedUnwritten |= !task.error().isOk();
                    outcome.done(task.error());
                });
    }

    private RaiseTask raiseTask(boolean write) {
        RaiseTask task = new RaiseTask(blocks, raises, write);
        raises = new Raises();
        return task;
    }

    @Override
    public void unreferenced(ClusterRuns runs) {
        if (!raises.isEmpty()) {
            // A cluster that is still given out must not seem to be free.
            enqueue(raiseTask(false), () -> {});
            raisedUnwritten = true;
        }
        for (int i = 0; i < runs.size(); i++) {
            for (int j = 0; j < runs.count(i); j++) {
                blocks.unlinked(runs.start(i) + j);
            }
        }
        ClusterRuns kept = keptMetadata;
        free(kept == null ? runs : withoutMetadata(runs, kept), error -> {});
    }

    /** What is left of {@code runs} without the clusters that hold metadata. */
    private ClusterRuns withoutMetadata(ClusterRuns runs, ClusterRuns metadata) {
        ClusterRuns left = new ClusterRuns();
        for (int i = 0; i < runs.size(); i++) {
            for (long c = runs.start(i); c < runs.start(i) + runs.count(i); c++) {
                (blocks.map().contains(c) ? metadata : left).add(c);
            }
        }
        return left;
    }

    @Override
    public void unlinked(long clusterIndex) {
        blocks.unlinked(clusterIndex);
    }

    /** Whether there are clusters whose count could not be taken down, so that they leak. */
    boolean hasLeaked() {
        return leaked;
    }

    /** Clusters of the file, before anything was allocated. */
    long clusters() {
        return reserve.end();
    }

    /** From now on clusters leave {@code seen} whose use may change; null: no more. */
    void watch(@Nullable SeenReferences seen) {
        blocks.watch(seen);
    }

    /** Runs {@code look} while no task is half done. */
    public void look(Runnable look) {
        LookTask task = new LookTask(blocks, look);
        enqueue(task, () -> {});
    }

    /** Lowers counts of some of the clusters that were seen, from {@code from} on. */
    void lower(SeenReferences seen, long from, boolean mayChange, Consumer<ExcessTask> ended) {
        ExcessTask task = new ExcessTask(blocks, seen, from, mayChange);
        enqueue(task, () -> ended.accept(task));
    }

    /** Frees clusters that are counted once, and to which nothing refers any more. */
    void freeUnused(ClusterRuns unused, Outcome outcome) {
        free(unused, outcome);
    }

    /** Takes off what {@code excess} says; the counts are durable with the outcome. */
    public void lower(ExcessReferences excess, Outcome outcome) {
        LowerTask task = new LowerTask(blocks, excess);
        enqueue(
                task,
                () -> {
                    if (!task.error().isOk()) {
                        outcome.done(task.error());
                    } else if (task.isUnfinished()) {
                        lower(excess, outcome);
                    } else {
                        free(excess.unused(), outcome.ifOk(() -> writeDurably(outcome)));
                    }
                });
    }

    /** All counts as they are now are durable with the outcome. */
    public void writeDurably(Outcome outcome) {
        settle(Runnable::run, outcome.ifOk(() -> blocks.io().flush(outcome)));
    }

    /**
     * Has every count on disk as it is in memory, then runs {@code look}, which runs what it is
     * given when it has looked; until then no count changes.
     */
    public void settle(Consumer<Runnable> look, Outcome outcome) {
        SettleTask task = new SettleTask(blocks, look);
        enqueue(task, () -> outcome.done(task.error()));
    }

    /**
     * Adds to {@code record}, from now on, each cluster that is handed out or gets one more
     * reference; null: no more.
     */
    public void record(@Nullable ClusterRuns record) {
        recording = record;
    }

    /** Adds clusters that are counted ahead of their use. */
    public void addReserved(ClusterRuns into) {
        reserve.addReady(into);
    }

    /** Adds clusters that lose a reference soon, or have just lost it. */
    public void addFreeing(ClusterRuns into) {
        RefcountTask now = current;
        if (now instanceof FreeTask freeing) {
            into.addAll(freeing.runs());
        }
        for (Job job : queue) {
            if (job.task instanceof FreeTask freeing) {
                into.addAll(freeing.runs());
            }
        }
    }

    /** Clusters with metadata are neither punched nor free until {@link #releaseMetadata}. */
    public void keepMetadata() {
        keptMetadata = new ClusterRuns();
    }

    public void releaseMetadata() {
        ClusterRuns kept = keptMetadata;
        keptMetadata = null;
        if (kept != null) {
            free(kept, error -> {});
        }
    }

    private void free(ClusterRuns runs, Outcome outcome) {
        if (runs.isEmpty()) {
            outcome.done(BlockError.OK);
        } else {
            free(new FreeTask(blocks, reserve, runs, punch), outcome);
        }
    }

    private void free(FreeTask task, Outcome outcome) {
        task.nextTurn();
        enqueue(
                task,
                () -> {
                    if (task.isUnfinished() && task.error().isOk()) {
                        free(task, outcome);
                    } else {
                        leaked |= !task.error().isOk();
                        unreadable |= task.error() == BlockError.EIO;
                        outcome.done(task.error());
                    }
                });
    }

    /** Counts {@code count} contiguous clusters and gives the first one; -1 on an error. */
    public void allocateRun(int count, LongConsumer firstCluster) {
        RunTask task = new RunTask(blocks, reserve, count);
        enqueue(
                task,
                () -> {
                    if (task.isTableFull()) {
                        growTable(
                                count,
                                error -> {
                                    if (error.isOk()) {
                                        allocateRun(count, firstCluster);
                                    } else {
                                        firstCluster.accept(-1);
                                    }
                                });
                    } else {
                        firstCluster.accept(task.error().isOk() ? task.start() : -1);
                    }
                });
    }

    /**
     * Gives what is reserved and unused back and makes all counts durable.
     *
     * @param settled whether everything else is durable; if not, or if clusters leaked, an image
     *     that is dirty stays so, and its counts are made anew when it is opened; but not for
     *     counts that cannot be read, with which it could not be opened at all
     */
    public void close(boolean settled, Outcome outcome) {
        unsettled = !settled;
        closing = outcome;
        runAll();
    }

    /** Gives the memory of slices back: nothing of the image is under way any more. */
    public void release() {
        blocks.close();
    }

    private void reserveMore() {
        if (!reserving) {
            reserving = true;
            refill();
        }
    }

    private void refill() {
        if (closing != null) {
            return;
        }
        ReserveTask task =
                new ReserveTask(
                        blocks,
                        reserve,
                        lazy,
                        Math.max(1, reserve.target() - reserve.readyCount()));
        enqueue(task, () -> reserved(task));
    }

    private void reserved(ReserveTask task) {
        reserving = false;
        if (task.isTableFull() && task.runs().isEmpty() && task.error().isOk()) {
            reserving = true;
            growTable(
                    0,
                    error -> {
                        reserving = false;
                        if (error.isOk()) {
                            reserveMore();
                        } else {
                            reserve.answer(error);
                        }
                    });
        } else if (!task.error().isOk()) {
            tellIfFull();
            reserve.answer(task.error());
        } else if (task.runs().isEmpty() && reserve.hasWaiters()) {
            reserveMore();
        } else {
            reserve.publish(task.runs());
        }
    }

    /** Once: no request can say why there is no space while the disk has some. */
    private void tellIfFull() {
        if (!toldFull && !blocks.map().hasRoomToGrow()) {
            toldFull = true;
            LOG.warn(
                    "image has as many tables as are kept track of, and gets no more clusters:"
                            + " file={}, cluster size={}; convert it to larger clusters",
                    blocks.io().file().fileName(),
                    1 << blocks.clusterBits());
        }
    }

    /** With room for {@code runCount} clusters in one piece. */
    private void growTable(int runCount, Outcome outcome) {
        GrowTableTask task = new GrowTableTask(blocks, reserve, header, runCount);
        enqueue(
                task,
                () -> {
                    if (task.error().isOk()) {
                        unreferenced(task.old());
                    }
                    outcome.done(task.error());
                });
    }

    private void enqueue(RefcountTask task, Runnable ended) {
        queue.add(new Job(task, ended));
        runAll();
    }

    /** In a loop: tasks that never wait, and queue the next one, must not run inside each other. */
    private void runAll() {
        if (starting) {
            return;
        }
        starting = true;
        try {
            for (Job job = next(); job != null; job = next()) {
                start(job);
            }
        } finally {
            starting = false;
        }
    }

    private @Nullable Job next() {
        if (busy) {
            return null;
        }
        Job job = queue.poll();
        Outcome last = closing;
        if (job == null && last != null && !closeStarted) {
            // After everything else, also after tasks that gave way to others.
            closeStarted = true;
            boolean keepDirty = unsettled || (leaked && !unreadable);
            CloseTask task = new CloseTask(blocks, reserve, header, keepDirty);
            job = new Job(task, () -> last.done(task.error()));
        }
        return job;
    }

    private void start(Job job) {
        busy = true;
        current = job.task;
        job.task.start(
                () -> {
                    busy = false;
                    current = null;
                    job.ended.run();
                    runAll();
                });
    }

    private record Job(RefcountTask task, Runnable ended) {}
}
