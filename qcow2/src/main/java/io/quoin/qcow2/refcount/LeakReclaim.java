package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.walk.TableRoot;
import io.quoin.qcow2.walk.TableVisitor;
import io.quoin.qcow2.walk.TableWalk;
import io.quoin.qcow2.walk.TableWords;
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
 *  TABLES     L1 tables of snapshots, then the active one as it is in memory, and the L2 tables that they lead to
 *  LOWER      what was not seen and is counted once: punched, count 0
 *  DONE       every leak of before is gone; the mark is removed when the image is closed
 *  GIVEN_UP   a table cannot be followed, or memory would not do: nothing (more) is lowered, the mark stays
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class LeakReclaim {
    private static final Logger LOG = LoggerFactory.getLogger(LeakReclaim.class);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** Of the tables of all bitmaps, which are read before the image is served. */
    private static final long BITMAP_ENTRIES_MAX = 1 << 20;

    private enum State {
        IDLE,
        BITMAPS,
        TABLES,
        LOWER,
        DONE,
        GIVEN_UP
    }

    private final ImageIo io;
    private final HeaderStore header;
    private final MappingTables tables;
    private final Refcounts refcounts;
    private final Consumer<Outcome> gate;
    private final int clusterBits;
    private final int entryWords;
    private final boolean external;
    private final List<TableRoot> bitmapTables = new ArrayList<>();
    private final List<TableRoot> l1Tables = new ArrayList<>();
    private State state = State.IDLE;
    private boolean stopped;
    private @Nullable String refusal;
    private long bitmapEntries;
    private @Nullable LeakCandidates candidates;
    private Runnable whenServable = () -> {};
    private @Nullable TableWalk walk;
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
        bitmapTables.add(TableRoot.pointers(hostOffset, entries, this::read));
        bitmapEntries += entries;
    }

    public void addSnapshot(long l1TableOffset, int l1Size) {
        l1Tables.add(TableRoot.l1(l1TableOffset, l1Size, this::read));
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
        whenServable = servable;
        state = State.BITMAPS;
        walk(bitmapTables, new Bits(all), 0, this::bitmapsSeen);
    }

    private void walk(List<TableRoot> roots, TableVisitor visitor, long pauseNanos, Outcome ended) {
        TableWalk next = new TableWalk(io.loop(), tables, roots, visitor, pauseNanos, ended);
        walk = next;
        next.start();
    }

    private void bitmapsSeen(BlockError error) {
        LeakCandidates set = candidates;
        if (!error.isOk() || set == null) {
            unreadable(error);
            return;
        }
        state = State.TABLES;
        l1Tables.add(TableRoot.active(0, Integer.MAX_VALUE));
        walk(l1Tables, new References(set), PAUSE_NANOS, this::tablesSeen);
        servable();
    }

    private void tablesSeen(BlockError error) {
        if (error.isOk()) {
            state = State.LOWER;
            scan();
        } else {
            unreadable(error);
        }
    }

    /** The image is being closed: nothing new is begun. */
    public void stop() {
        stopped = true;
        stopWalk();
        Loop.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
    }

    private void stopWalk() {
        TableWalk running = walk;
        walk = null;
        if (running != null) {
            running.stop();
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
            details.put("l2-tables-read", tablesRead);
            details.put("reclaimed-clusters", lowered);
        }
        return details;
    }

    private void read(long hostOffset, ByteBuffer target, int lengthBytes, Outcome outcome) {
        io.read(hostOffset, BufferUtil.address(target), lengthBytes, outcome);
    }

    private void servable() {
        Runnable told = whenServable;
        whenServable = () -> {};
        told.run();
    }

    /** The tables of bitmaps, which lead to clusters of bits. */
    private final class Bits implements TableVisitor {
        private final LeakCandidates set;

        Bits(LeakCandidates set) {
            this.set = set;
        }

        @Override
        public boolean enter(int index, long entry) {
            if (BitmapDirectoryLayout.tableFault(entry, clusterBits, io.fileSizeBytes()).isNone()) {
                set.remove(BitmapDirectoryLayout.dataHostOffset(entry) >>> clusterBits);
            } else {
                giveUp("an entry of a bitmap's table is wrong");
            }
            return false;
        }
    }

    /** L2 tables of all roots. */
    private final class References implements TableVisitor {
        private final LeakCandidates set;

        References(LeakCandidates set) {
            this.set = set;
        }

        @Override
        public boolean enter(int index, long entry) {
            if (!L1Entry.fault(entry, clusterBits, io.fileSizeBytes()).isNone()
                    || (entry & L1Entry.RESERVED_MASK) != 0) {
                giveUp("L1 entry " + index + " is wrong: " + Long.toHexString(entry));
                return false;
            }
            set.remove(L1Entry.hostOffset(entry) >>> clusterBits);
            return L1Entry.isAllocated(entry);
        }

        @Override
        public boolean see(int index, TableWords words) {
            for (int i = 0; i < words.count() && state == State.TABLES; i += entryWords) {
                seeEntry(words.word(i), entryWords == 1 ? 0 : words.word(i + 1));
            }
            return true;
        }

        @Override
        public void leave(int index, boolean whole) {
            tablesRead++;
        }

        /**
         * Whatever the kind of the entry is: a cluster that it names is in use. One that leads
         * nowhere may mean any cluster, which its repair would need: nothing may be given back
         * then.
         */
        private void seeEntry(long descriptor, long subclusters) {
            if (external) {
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
    }

    private void scan() {
        LeakCandidates set = candidates;
        if (set == null || stopped) {
            return;
        }
        refcounts.scan(
                set,
                scanFrom,
                found -> {
                    if (!found.error().isOk() && !stopped) {
                        unreadable(found.error());
                    } else if (found.error().isOk() && found.count() == 0) {
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
            giveUp("the image cannot be changed: " + passed.text());
            return;
        }
        lowered += found.count();
        refcounts.lowerLeaked(found.leaked());
        scanned(found);
    }

    private void scanned(LeakScan found) {
        scanFrom = found.next();
        if (scanFrom >= 0) {
            timer = stopped ? null : io.loop().schedule(PAUSE_NANOS, this::scan);
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

    private void unreadable(BlockError error) {
        giveUp("a table cannot be read: " + error.text());
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
        stopWalk();
        refcounts.watch(null);
        candidates = null;
    }
}
