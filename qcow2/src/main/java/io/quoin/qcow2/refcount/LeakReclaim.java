package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back clusters that a writer had counted ahead when it was killed, while the image is
 * served: walks every table that can refer to a cluster, a few in a turn, and lowers the counts of
 * clusters that nothing refers to. docs/adr/0010 says why no reference escapes it.
 *
 * <pre>
 *  IDLE       nothing to do: the last writer has closed the image
 *  BITMAPS    tables of bitmaps, before the image is served
 *  SNAPSHOTS  L1 tables of snapshots and the L2 tables that they lead to
 *  ACTIVE     L2 tables of the active L1 table, as they are in memory
 *  LOWER      what was not seen and is counted once: punched, count 0
 *  DONE       every leak of before is gone; the mark is removed when the image is closed
 *  GIVEN_UP   a table cannot be followed, or memory would not do: nothing (more) is lowered, the mark stays
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class LeakReclaim extends Steps {
    private static final Logger LOG = LoggerFactory.getLogger(LeakReclaim.class);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int ENTRIES_PER_TURN = 4096;

    /** Of the tables of all bitmaps, which are read before the image is served. */
    private static final long BITMAP_ENTRIES_MAX = 1 << 20;

    private static final int ALIGNMENT = 4096;

    private enum State {
        IDLE,
        BITMAPS,
        SNAPSHOTS,
        ACTIVE,
        LOWER,
        DONE,
        GIVEN_UP
    }

    /** A table of pointers to L2 tables or to clusters of bits, which nobody changes. */
    private record Pointers(long hostOffset, int entries) {}

    private final ImageIo io;
    private final HeaderStore header;
    private final MappingTables tables;
    private final Refcounts refcounts;
    private final Consumer<Outcome> gate;
    private final int clusterBits;
    private final int entryWords;
    private final boolean external;
    private final List<Pointers> bitmapTables = new ArrayList<>();
    private final List<Pointers> snapshotTables = new ArrayList<>();
    private State state = State.IDLE;
    private boolean stopped;
    private boolean waiting;
    private BlockError error = BlockError.OK;
    private @Nullable String refusal;
    private long bitmapEntries;
    private int entriesLeftInTurn = ENTRIES_PER_TURN;
    private @Nullable LeakCandidates candidates;
    private Runnable whenServable = () -> {};
    private ByteBuffer pointers = ByteBuffer.allocate(0);
    private ByteBuffer l2 = ByteBuffer.allocate(0);
    private int table;
    private int entry;
    private boolean hasPiece;
    private boolean hasL2;
    private int l1Index;
    private int slice;
    private Loop.@Nullable Timer timer;
    private long tablesRead;
    private long lowered;
    private long scanFrom;

    /**
     * @param gate what has to be passed before the image is changed
     */
    public LeakReclaim(
            ImageIo io,
            HeaderStore header,
            MappingTables tables,
            Refcounts refcounts,
            Consumer<Outcome> gate) {
        this.io = io;
        this.header = header;
        this.tables = tables;
        this.refcounts = refcounts;
        this.gate = gate;
        Qcow2Header now = header.header();
        this.clusterBits = now.clusterBits();
        this.entryWords = now.hasExtendedL2() ? 2 : 1;
        this.external = now.hasExternalDataFile();
    }

    /** Has it look for nothing: references may be where it cannot see them. */
    public void giveUpWhenStarted(String why) {
        refusal = why;
    }

    public void addBitmapTable(long hostOffset, int entries) {
        bitmapTables.add(new Pointers(hostOffset, entries));
        bitmapEntries += entries;
    }

    public void addSnapshot(long l1TableOffset, int l1Size) {
        snapshotTables.add(new Pointers(l1TableOffset, l1Size));
    }

    /**
     * Begins, before anything of the image has changed; {@code servable} is run when it may be
     * changed.
     */
    public void start(Runnable servable) {
        long clusters = refcounts.clusters();
        if (clusters > LeakCandidates.CLUSTERS_MAX) {
            refusal = "the file has too many clusters: clusters=" + clusters;
        } else if (bitmapEntries > BITMAP_ENTRIES_MAX) {
            refusal = "the tables of bitmaps are too long: entries=" + bitmapEntries;
        }
        String why = refusal;
        if (why != null) {
            giveUp(why);
            servable.run();
            return;
        }
        LeakCandidates all = new LeakCandidates(clusters);
        candidates = all;
        refcounts.watch(all);
        pointers = BufferUtil.allocateDirectAligned(1 << clusterBits, ALIGNMENT);
        l2 = BufferUtil.allocateDirectAligned(1 << clusterBits, ALIGNMENT);
        whenServable = servable;
        state = State.BITMAPS;
        resume();
    }

    /** The image is being closed: nothing new is begun. */
    public void stop() {
        stopped = true;
        Loop.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
    }

    /** All counts are durable and nothing is reserved: the mark goes, if no leak can be left. */
    public void closed(Outcome outcome) {
        boolean marked = (header.header().autoclearFeatures() & Qcow2Header.LEAKS_POSSIBLE) != 0;
        boolean complete = state == State.IDLE || state == State.DONE;
        if (marked && complete && !refcounts.hasLeaked() && io.health().isWritable()) {
            header.changeAutoclear(Qcow2Header.LEAKS_POSSIBLE, 0, outcome);
        } else {
            outcome.done(BlockError.OK);
        }
    }

    /** Whether it is still looking for leaks, or lowering counts. */
    public boolean isRunning() {
        return !stopped && state != State.IDLE && state != State.DONE && state != State.GIVEN_UP;
    }

    /** For a person; empty if there was nothing to do. */
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
            details.put("l2-tables-read", tablesRead);
            details.put("reclaimed-clusters", lowered);
        }
        return details;
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
        if (!error.isOk()) {
            giveUp("a table cannot be read: " + error.text());
        }
        switch (state) {
            case BITMAPS -> {
                if (!followPointers(bitmapTables)) {
                    return false;
                }
                state = State.SNAPSHOTS;
                servable();
                pause();
                return true;
            }
            case SNAPSHOTS -> {
                if (!followPointers(snapshotTables)) {
                    return false;
                }
                state = State.ACTIVE;
                return true;
            }
            case ACTIVE -> {
                return walkActive();
            }
            case LOWER -> scan();
            case IDLE, DONE, GIVEN_UP -> {}
        }
        return false;
    }

    private void servable() {
        Runnable told = whenServable;
        whenServable = () -> {};
        told.run();
    }

    /** Goes on through the tables of {@code list}; false: it waits, or has given up. */
    private boolean followPointers(List<Pointers> list) {
        while (table < list.size()) {
            Pointers now = list.get(table);
            int perPiece = pointers.capacity() / Long.BYTES;
            if (entry == now.entries) {
                entry = 0;
                table++;
                hasPiece = false;
            } else if (!hasPiece) {
                hasPiece = true;
                int count = Math.min(perPiece, now.entries - entry);
                read(now.hostOffset + (long) entry * Long.BYTES, pointers, count * Long.BYTES);
                return false;
            } else if (hasL2) {
                hasL2 = false;
                seeL2();
                passEntry(perPiece);
                pause();
                return false;
            } else {
                long pointer = pointers.getLong(entry % perPiece * Long.BYTES);
                if (state == State.BITMAPS ? !seeBits(pointer) : !seeTable(pointer)) {
                    return false;
                }
                if (hasL2) {
                    return false;
                }
                passEntry(perPiece);
                if (--entriesLeftInTurn == 0) {
                    entriesLeftInTurn = ENTRIES_PER_TURN;
                    yieldTurn();
                    return false;
                }
            }
        }
        table = 0;
        return true;
    }

    private void passEntry(int perPiece) {
        entry++;
        hasPiece = entry % perPiece != 0;
    }

    private boolean seeBits(long pointer) {
        if (!BitmapDirectoryLayout.tableFault(pointer, clusterBits, io.fileSizeBytes()).isNone()) {
            giveUp("an entry of a bitmap's table is wrong");
            return false;
        }
        see(BitmapDirectoryLayout.dataHostOffset(pointer) >>> clusterBits);
        return true;
    }

    /** Sees a snapshot's L2 table and has it read. */
    private boolean seeTable(long pointer) {
        if (!L1Entry.fault(pointer, clusterBits, io.fileSizeBytes()).isNone()) {
            giveUp("an L1 entry of a snapshot is wrong");
            return false;
        }
        if (L1Entry.isAllocated(pointer)) {
            see(L1Entry.hostOffset(pointer) >>> clusterBits);
            hasL2 = true;
            read(L1Entry.hostOffset(pointer), l2, 1 << clusterBits);
        }
        return true;
    }

    private void seeL2() {
        tablesRead++;
        for (int i = 0; i < l2.capacity(); i += Long.BYTES * entryWords) {
            seeEntry(l2.getLong(i), entryWords == 1 ? 0 : l2.getLong(i + Long.BYTES));
        }
    }

    private boolean walkActive() {
        int turnEnd = l1Index + ENTRIES_PER_TURN;
        while (l1Index < tables.l1Size() && !L1Entry.isAllocated(tables.l1Entry(l1Index))) {
            slice = 0;
            if (++l1Index == turnEnd) {
                pause();
                return false;
            }
        }
        if (l1Index >= tables.l1Size()) {
            state = State.LOWER;
            return true;
        }
        long pointer = tables.l1Entry(l1Index);
        Slice present = tables.peek(tables.firstSlice(l1Index) + slice);
        if (present == null) {
            loadActive(pointer);
            return false;
        }
        see(L1Entry.hostOffset(pointer) >>> clusterBits);
        seeActive(present);
        slice++;
        if (slice == tables.slicesPerTable()) {
            slice = 0;
            l1Index++;
            tablesRead++;
        }
        pause();
        return false;
    }

    private void loadActive(long pointer) {
        boolean sound =
                L1Entry.fault(pointer, clusterBits, io.fileSizeBytes()).isNone()
                        && (pointer & L1Entry.RESERVED_MASK) == 0;
        if (sound) {
            tables.load(tables.firstSlice(l1Index) + slice, this);
        } else {
            giveUp("L1 entry " + l1Index + " is wrong");
        }
    }

    private void seeActive(Slice present) {
        for (int i = 0; i < tables.sliceWords(); i += entryWords) {
            seeEntry(present.entry(i), entryWords == 1 ? 0 : present.entry(i + 1));
        }
    }

    /**
     * Whatever the kind of the entry is: a cluster that it names is in use. One that leads nowhere
     * may mean any cluster, which its repair would need: nothing may be given back then.
     */
    private void seeEntry(long descriptor, long subclusters) {
        LeakCandidates set = candidates;
        if (external || set == null) {
            return;
        }
        long from;
        long last;
        boolean leads;
        if (L2Entry.isCompressed(descriptor)) {
            from = L2Entry.compressedHostOffset(descriptor, clusterBits);
            last = from + L2Entry.compressedLengthBytes(descriptor, clusterBits) - 1;
            leads = true;
        } else {
            from = L2Entry.hostOffset(descriptor);
            last = from;
            leads =
                    (from & ((1L << clusterBits) - 1)) == 0
                            && (from != 0 || (int) subclusters == 0);
        }
        if (!leads || (last & -(1L << clusterBits)) >= io.fileSizeBytes()) {
            giveUp("an L2 entry is wrong: " + Long.toHexString(descriptor));
        } else {
            set.removeAll(from >>> clusterBits, last >>> clusterBits);
        }
    }

    private void see(long cluster) {
        LeakCandidates set = candidates;
        if (set != null) {
            set.remove(cluster);
        }
    }

    private void scan() {
        LeakCandidates set = candidates;
        if (set == null) {
            return;
        }
        waiting = true;
        refcounts.scan(
                set,
                scanFrom,
                found -> {
                    if (!found.error().isOk()) {
                        waitEnded(found.error());
                    } else if (found.count() == 0) {
                        scanned(found);
                    } else if (!stopped) {
                        gate.accept(passed -> lower(found, passed));
                    }
                });
    }

    private void lower(LeakScan found, BlockError passed) {
        if (stopped) {
            return;
        }
        if (!passed.isOk()) {
            waitEnded(passed);
            return;
        }
        lowered += found.count();
        refcounts.lowerLeaked(found.leaked());
        scanned(found);
    }

    private void scanned(LeakScan found) {
        scanFrom = found.next();
        waiting = false;
        if (scanFrom >= 0) {
            pause();
            return;
        }
        state = State.DONE;
        release();
        LOG.info(
                "leaked clusters are given back: file={}, clusters={}, bytes={}, L2 tables read={}",
                io.file().fileName(),
                lowered,
                lowered << clusterBits,
                tablesRead);
    }

    private void giveUp(String why) {
        state = State.GIVEN_UP;
        release();
        LOG.warn(
                "leaked clusters are not looked for, see quoin image check: file={}, {}",
                io.file().fileName(),
                why);
        servable();
    }

    private void release() {
        refcounts.watch(null);
        candidates = null;
        pointers = ByteBuffer.allocate(0);
        l2 = ByteBuffer.allocate(0);
        error = BlockError.OK;
    }

    private void read(long hostOffset, ByteBuffer into, int lengthBytes) {
        waiting = true;
        io.read(hostOffset, BufferUtil.address(into), lengthBytes, this::waitEnded);
    }

    private void waitEnded(BlockError outcome) {
        waiting = false;
        if (!outcome.isOk()) {
            fail(outcome);
        }
        resume();
    }

    /** Lets what else the loop has to do come first. */
    private void yieldTurn() {
        waiting = true;
        io.loop().execute(() -> waitEnded(BlockError.OK));
    }

    private void pause() {
        waiting = true;
        timer =
                io.loop()
                        .schedule(
                                PAUSE_NANOS,
                                () -> {
                                    timer = null;
                                    waitEnded(BlockError.OK);
                                });
    }
}
