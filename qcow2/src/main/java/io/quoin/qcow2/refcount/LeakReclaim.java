package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.walk.TableRoot;
import io.quoin.qcow2.walk.WalkPace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back what is counted and not referred to, while the image is served: what a writer that was
 * killed had counted ahead, and what a snapshot referred to that is deleted. {@link ExcessWalk}
 * does it for a window of the file at a time, and again for clusters whose use changed meanwhile.
 *
 * <pre>
 *  IDLE       nothing to do: the last writer has closed the image
 *  RUNNING    waits for its turn, or walks
 *  DONE       no count is too high but for what is counted ahead; the mark is removed when the image is closed
 *  GIVEN_UP   a table cannot be followed, or the caller has ended it: nothing more is lowered, the mark stays
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class LeakReclaim {
    private static final Logger LOG = LoggerFactory.getLogger(LeakReclaim.class);

    /**
     * Walks of one window; each has fewer clusters to look at than the one before. Also passes over
     * all windows: two will do where tables do not change, for their L1 entries and their own.
     */
    private static final int ROUNDS_MAX = 16;

    /** Of the tables of all bitmaps. */
    private static final long BITMAP_ENTRIES_MAX = 1 << 20;

    /** Clusters that are looked at in one walk. */
    static int windowClusters = SeenReferences.CLUSTERS_MAX;

    /** How far it has come. */
    @FunctionalInterface
    public interface Progress {
        /** False: end it soon. */
        boolean advanced(long done, long total);
    }

    /**
     * What it works on.
     *
     * @param gate what has to be passed before the image is changed
     * @param pace of what a caller waits for
     * @param moment at which a walk begins
     */
    public record Parts(
            ImageIo io,
            HeaderStore header,
            MappingTables tables,
            MappingFlusher flusher,
            Refcounts refcounts,
            Consumer<Outcome> gate,
            WalkPace pace,
            CountMoment moment,
            CountTurns turns) {}

    private enum State {
        IDLE,
        RUNNING,
        DONE,
        GIVEN_UP
    }

    private record Request(Progress progress, Consumer<@Nullable String> ended) {}

    private final Parts parts;
    private final Runnable turn = this::begin;
    private final List<TableRoot> bitmapTables = new ArrayList<>();
    private final List<Request> requests = new ArrayList<>();
    private Supplier<List<TableRoot>> snapshots = List::of;
    private State state = State.IDLE;
    private boolean hasTurn;
    private boolean stopped;
    private @Nullable String refusal;
    private long bitmapEntries;
    private @Nullable ExcessWalk walk;
    private ExcessWalk.Tally tally = new ExcessWalk.Tally();
    private @Nullable SeenReferences seen;
    private long windowStart;
    private long clusters;
    private int round;
    private int pass;

    /** Entries lack COPIED whose table is in another window and lacked it too. */
    private boolean passAgain;

    private long entriesInWalk;
    private long entriesDone;
    private WalkPace pace = WalkPace.LEISURELY;

    /** Of how many requests it knows: what a former one waits for does not matter any more. */
    private int runs;

    /** Changes under way that make counts too high for a while. */
    private int expected;

    private final List<Runnable> whenNoneExpected = new ArrayList<>();

    public LeakReclaim(Parts parts) {
        this.parts = parts;
    }

    /** Has it look for nothing: references may be where it cannot see them. */
    public void giveUpWhenStarted(String why) {
        refusal = why;
    }

    /** One that does not change on disk before the image is closed. */
    public void addBitmapTable(long hostOffset, int entries) {
        bitmapTables.add(TableRoot.pointers(hostOffset, entries, this::read));
        bitmapEntries += entries;
    }

    /** Where the L1 tables of all snapshots are found when a walk begins. */
    public void snapshots(Supplier<List<TableRoot>> current) {
        snapshots = current;
    }

    /** The L1 table of a snapshot. */
    public TableRoot snapshotRoot(long l1TableOffset, int l1Size) {
        return TableRoot.l1(l1TableOffset, l1Size, this::read);
    }

    /**
     * Counts are too high for a while: {@link #unexpect} has to follow, after {@link #run} if a
     * walk lowers them.
     */
    public void expect() {
        expected++;
    }

    /** They are not any more, but for what a walk was asked to lower. */
    public void unexpect() {
        expected--;
        if (expected == 0) {
            List<Runnable> waiting = List.copyOf(whenNoneExpected);
            whenNoneExpected.clear();
            waiting.forEach(parts.io().loop()::execute);
        }
    }

    /**
     * Runs {@code next} when none is expected, maybe at once: a walk has been asked for by then.
     */
    public void whenNoneExpected(Runnable next) {
        if (expected == 0) {
            next.run();
        } else {
            whenNoneExpected.add(next);
        }
    }

    /** Whether counts are too high for a while: what would be taken for leaks is none. */
    public boolean isOwed() {
        return expected > 0 || isRunning();
    }

    /** Begins when an image is opened whose last writer has not closed it. */
    public void start() {
        request((done, total) -> true, why -> {}, WalkPace.LEISURELY);
    }

    /**
     * Lowers all counts that are too high. One that is under way begins anew, with the tables of
     * now.
     *
     * @param ended told null, or why some may be left
     */
    public void run(Progress progress, Consumer<@Nullable String> ended) {
        request(progress, ended, parts.pace());
    }

    private void request(Progress progress, Consumer<@Nullable String> ended, WalkPace newPace) {
        requests.add(new Request(progress, ended));
        runs++;
        pace = newPace;
        boolean running = state == State.RUNNING;
        state = State.RUNNING;
        if (!running) {
            tally = new ExcessWalk.Tally();
            parts.turns().take(turn);
        } else if (hasTurn) {
            stopWalk();
            begin();
        }
    }

    private void begin() {
        hasTurn = true;
        if (stopped) {
            return;
        }
        if (refusal == null && bitmapEntries > BITMAP_ENTRIES_MAX) {
            refusal = "the tables of bitmaps are too long: entries=" + bitmapEntries;
        }
        if (refusal != null) {
            giveUp(refusal);
            return;
        }
        pass = 0;
        firstWindow();
    }

    private void firstWindow() {
        passAgain = false;
        windowStart = 0;
        clusters = parts.refcounts().clusters();
        window();
    }

    private void window() {
        long end = Math.min(clusters, windowStart + windowClusters);
        SeenReferences next;
        try {
            next = new SeenReferences(windowStart, end);
        } catch (OutOfMemoryError e) {
            giveUp("there is no memory for it");
            return;
        }
        seen = next;
        round = 0;
        walk(next);
    }

    private void walk(SeenReferences next) {
        List<TableRoot> l1Tables = snapshots.get();
        long entries = parts.tables().l1Size();
        for (TableRoot root : l1Tables) {
            entries += root.end();
        }
        entriesInWalk = entries;
        entriesDone = 0;
        ExcessWalk started =
                new ExcessWalk(
                        parts,
                        next,
                        new ExcessWalk.Roots(bitmapTables, l1Tables, pace),
                        tally,
                        this::tableSeen,
                        this::walked);
        walk = started;
        started.start(parts.moment());
    }

    private void tableSeen() {
        entriesDone = Math.min(entriesInWalk, entriesDone + 1);
        long windows = (clusters + windowClusters - 1) / windowClusters;
        long total = windows * entriesInWalk;
        long done = windowStart / windowClusters * entriesInWalk + (round == 0 ? entriesDone : 0);
        List<Request> left = new ArrayList<>();
        for (Request request : List.copyOf(requests)) {
            if (!request.progress().advanced(pass == 0 ? done : total, total)) {
                left.add(request);
            }
        }
        if (!stopped && !left.isEmpty()) {
            leave(left);
        }
    }

    /** The walk goes on for the others; without any it is ended. */
    private void leave(List<Request> left) {
        String why = "it was ended by the caller";
        if (requests.size() == left.size()) {
            giveUp(why);
            return;
        }
        requests.removeAll(left);
        parts.io().loop().execute(() -> left.forEach(request -> request.ended().accept(why)));
    }

    private void walked(@Nullable String why) {
        walk = null;
        SeenReferences now = seen;
        if (why != null || now == null) {
            giveUp(why == null ? "it was ended" : why);
            return;
        }
        boolean several = clusters > windowClusters;
        passAgain |= several && now.hasSingle();
        long again = now.again(!several);
        if (again > 0 && ++round == ROUNDS_MAX) {
            giveUp("the use of clusters changes all the time: clusters left=" + again);
        } else if (again > 0) {
            flushed(() -> walk(now));
        } else if (windowStart + windowClusters < clusters) {
            windowStart += windowClusters;
            window();
        } else if (passAgain && ++pass == ROUNDS_MAX) {
            giveUp("the use of tables changes all the time");
        } else if (passAgain) {
            flushed(this::firstWindow);
        } else {
            finish();
        }
    }

    private void finish() {
        if (tally.lowered + tally.freed + tally.copied == 0) {
            done();
        } else {
            flushed(() -> durable(this::done, parts.refcounts()::writeDurably));
        }
    }

    /** After a round of the flusher: what was dropped before is not counted any more, or soon. */
    private void flushed(Runnable next) {
        durable(next, outcome -> parts.flusher().flush(outcome));
    }

    /** Goes on behind {@code step}, unless it has been stopped or begun anew by then. */
    private void durable(Runnable next, Consumer<Outcome> step) {
        int before = runs;
        step.accept(
                error -> {
                    if (before != runs || stopped) {
                        return;
                    }
                    if (error.isOk()) {
                        next.run();
                    } else {
                        giveUp("it cannot be written: " + error.text());
                    }
                });
    }

    private void done() {
        state = State.DONE;
        LOG.info(
                "counts that were too high are lowered: file={}, free clusters={}, bytes={},"
                        + " shared clusters={}, COPIED set={}, L2 tables read={}",
                fileName(),
                tally.freed,
                tally.freed << parts.header().header().clusterBits(),
                tally.lowered,
                tally.copied,
                tally.tables);
        answer(null);
    }

    private void giveUp(String why) {
        state = State.GIVEN_UP;
        LOG.warn(
                "counts that are too high are not all lowered, see quoin image check: file={}, {}",
                fileName(),
                why);
        answer(why);
    }

    private String fileName() {
        return parts.io().file().fileName();
    }

    /** Calls out last. */
    private void answer(@Nullable String why) {
        stopWalk();
        seen = null;
        List<Request> all = List.copyOf(requests);
        requests.clear();
        if (hasTurn) {
            hasTurn = false;
            parts.turns().end();
        }
        for (Request request : all) {
            request.ended().accept(why);
        }
    }

    private void stopWalk() {
        ExcessWalk running = walk;
        walk = null;
        if (running != null) {
            running.abandon();
        }
    }

    /** The image is being closed: nothing new is begun. */
    public void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        stopWalk();
        parts.turns().cancel(turn);
        List<Request> all = List.copyOf(requests);
        requests.clear();
        for (Request request : all) {
            request.ended().accept("the image is closed, the rest is done after its next open");
        }
    }

    /** All counts are durable and nothing is reserved: the mark goes, if no leak can be left. */
    public void closed(Outcome outcome) {
        HeaderStore header = parts.header();
        boolean marked = header.header().mayHaveLeaks();
        boolean complete = state == State.IDLE || state == State.DONE;
        boolean leaked = parts.refcounts().hasLeaked();
        if (marked && complete && !leaked && parts.io().health().isWritable()) {
            header.unmarkLeaks(outcome);
        } else {
            outcome.done(BlockError.OK);
        }
    }

    /** Whether it waits for its turn, or lowers counts. */
    public boolean isRunning() {
        return !stopped && state == State.RUNNING;
    }

    /** For people; empty if there was nothing to do. */
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        if (state != State.IDLE) {
            details.put(
                    "state",
                    switch (state) {
                        case DONE -> "done";
                        case GIVEN_UP -> "given up";
                        default -> "running";
                    });
            details.put("l2-tables-read", tally.tables);
            details.put("reclaimed-clusters", tally.freed);
            details.put("lowered-clusters", tally.lowered);
        }
        return details;
    }

    private void read(long hostOffset, ByteBuffer target, int lengthBytes, Outcome outcome) {
        parts.io().read(hostOffset, BufferUtil.address(target), lengthBytes, outcome);
    }
}
