package io.quoin.qcow2.walk;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Walks tables beside the guests: of each root its entries in their order, and the L2 tables that
 * they lead to, a slice at a time. Between two slices it gives way to what else the loop has to do,
 * and rests as its pace says.
 *
 * <pre>
 *  ROOT   looks for an entry that is entered, some thousands in a turn
 *  TABLE  one slice: in memory, or loaded into the cache (active), or read to memory of the walk's own (all others)
 * </pre>
 *
 * <p>Slices of active tables are seen as they are in memory at that moment. Those that it had to
 * load leave the cache again at its next step, unless something else has used them by then, so that
 * it takes the room of one slice from the guests. It keeps two slices for tables that are read.
 *
 * <p>Threading: confined(loop).
 */
public final class TableWalk extends Steps {
    private static final int ENTRIES_PER_TURN = 4096;
    private static final int ALIGNMENT = 4096;
    private static final int NONE = -1;
    private static final ByteBuffer NO_BYTES = ByteBuffer.allocate(0);

    private final Loop loop;
    private final MappingTables tables;
    private final TableVisitor visitor;
    private final WalkPace pace;
    private final Outcome ended;
    private final ArrayDeque<TableRoot> roots;
    private @Nullable TableRoot root;
    private int index;
    private boolean entered;
    private long enteredAs;
    private int slice;
    private int loaded = NONE;
    private int unneeded = NONE;
    private final TableWords words;
    private ByteBuffer pointers = NO_BYTES;
    private int pointersFrom = NONE;
    private ByteBuffer stored = NO_BYTES;
    private boolean isStored;
    private boolean waiting;
    private boolean stopped;
    private BlockError error = BlockError.OK;
    private Loop.@Nullable Timer timer;

    /**
     * @param ended told OK behind the last root, else the error with which a table was read
     */
    public TableWalk(
            Loop loop,
            MappingTables tables,
            Collection<TableRoot> roots,
            TableVisitor visitor,
            WalkPace pace,
            Outcome ended) {
        this.loop = loop;
        this.tables = tables;
        this.roots = new ArrayDeque<>(roots);
        this.visitor = visitor;
        this.pace = pace;
        this.ended = ended;
        this.words = new TableWords(tables.sliceWords());
    }

    /** Begins, with a rest if it rests. */
    public void start() {
        nextRoot();
        long restNanos = pace.restNanos(true);
        if (restNanos > 0) {
            rest(restNanos);
        } else {
            resume();
        }
    }

    /** No more is walked, and the end is not told. */
    public void stop() {
        stopped = true;
        roots.clear();
        Loop.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
    }

    @Override
    public void fail(BlockError failure) {
        error = failure;
    }

    @Override
    protected boolean step() {
        if (waiting || stopped) {
            return false;
        }
        if (unneeded != NONE) {
            tables.leave(unneeded);
            unneeded = NONE;
        }
        TableRoot now = root;
        if (now == null || !error.isOk()) {
            BlockError outcome = error;
            stop();
            ended.done(outcome);
            return false;
        }
        if (visitor.mustWait(this)) {
            return false;
        }
        return entered ? walkTable(now) : walkRoot(now);
    }

    private void nextRoot() {
        root = roots.poll();
        index = root == null ? 0 : root.first();
        pointersFrom = NONE;
    }

    private boolean walkRoot(TableRoot now) {
        TableSource source = now.source();
        int turnEnd = index + ENTRIES_PER_TURN;
        while (index < end(now)) {
            if (index == turnEnd) {
                giveWay();
                return false;
            }
            if (source != null && !hasPointer(now, source)) {
                return false;
            }
            long entry = entry(now);
            boolean wanted = source == null ? L1Entry.isAllocated(entry) : entry != 0;
            if (wanted && visitor.enter(index, entry) && now.hasTables()) {
                entered = true;
                enteredAs = entry;
                slice = 0;
                return !stopped;
            }
            if (stopped) {
                return false;
            }
            index++;
        }
        nextRoot();
        return true;
    }

    private int end(TableRoot now) {
        return now.source() == null ? Math.min(now.end(), tables.l1Size()) : now.end();
    }

    private long entry(TableRoot now) {
        return now.source() == null
                ? tables.l1Entry(index)
                : pointers.getLong((index - pointersFrom) * Long.BYTES);
    }

    /** Whether the piece of the root that has the entry is in memory; else it is being read. */
    private boolean hasPointer(TableRoot now, TableSource source) {
        int from = index & -words.count();
        if (pointersFrom == from) {
            return true;
        }
        pointers = allocated(pointers);
        pointersFrom = from;
        int count = Math.min(words.count(), now.end() - from);
        long hostOffset = now.hostOffset() + (long) from * Long.BYTES;
        waiting = true;
        source.read(hostOffset, pointers, count * Long.BYTES, this::waitEnded);
        return false;
    }

    private ByteBuffer allocated(ByteBuffer before) {
        int lengthBytes = words.count() * Long.BYTES;
        return before.capacity() == lengthBytes
                ? before
                : BufferUtil.allocateDirectAligned(lengthBytes, ALIGNMENT);
    }

    private boolean walkTable(TableRoot now) {
        TableSource source = now.source();
        if (source == null ? !findActive() : !hasStored(source)) {
            // It waits, or it has been stopped, or the table is not there any more.
            return !entered;
        }
        boolean goOn = visitor.see(index, words);
        isStored = false;
        unneeded = loaded;
        loaded = NONE;
        if (stopped) {
            return false;
        }
        slice++;
        boolean isEnd = !goOn || slice == tables.slicesPerTable();
        if (isEnd) {
            leaveTable(goOn);
        }
        rest(pace.restNanos(isEnd));
        return false;
    }

    private void leaveTable(boolean whole) {
        entered = false;
        if (!stopped) {
            visitor.leave(index, whole);
        }
        index++;
    }

    /** Whether the slice is there to be seen; else it is being loaded, or its table has gone. */
    private boolean findActive() {
        long entry = index < tables.l1Size() ? tables.l1Entry(index) : 0;
        if (entry != enteredAs) {
            enteredAs = entry;
            if (!L1Entry.isAllocated(entry) || !visitor.enter(index, entry)) {
                leaveTable(false);
                return false;
            }
        }
        int sliceIndex = tables.firstSlice(index) + slice;
        Slice present = tables.peek(sliceIndex);
        if (present == null) {
            loaded = sliceIndex;
            tables.load(sliceIndex, this);
            return false;
        }
        words.at(present.address(), slice);
        return true;
    }

    /** Whether the slice has been read; else that begins. */
    private boolean hasStored(TableSource source) {
        stored = allocated(stored);
        words.at(BufferUtil.address(stored), slice);
        if (!isStored) {
            isStored = true;
            waiting = true;
            long inTable = (long) slice * stored.capacity();
            source.read(
                    L1Entry.hostOffset(enteredAs) + inTable,
                    stored,
                    stored.capacity(),
                    this::waitEnded);
            return false;
        }
        return true;
    }

    private void waitEnded(BlockError outcome) {
        waiting = false;
        if (!outcome.isOk()) {
            fail(outcome);
        }
        resume();
    }

    private void nextTurn() {
        waitEnded(BlockError.OK);
    }

    /** Lets what else the loop has to do come first. */
    private void giveWay() {
        waiting = true;
        loop.giveWay(this::nextTurn);
    }

    private void rest(long restNanos) {
        if (restNanos == 0) {
            giveWay();
            return;
        }
        waiting = true;
        timer = loop.schedule(restNanos, this::nextTurn);
    }
}
