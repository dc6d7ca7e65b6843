package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.walk.TableRoot;
import io.quoin.qcow2.walk.TableVisitor;
import io.quoin.qcow2.walk.TableWalk;
import io.quoin.qcow2.walk.TableWords;
import io.quoin.qcow2.walk.WalkPace;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One walk through all tables of an image beside its guests, which counts the references to the
 * clusters of one window, and lowers counts that are above them. docs/adr/0010 says why no
 * reference escapes it.
 *
 * <pre>
 *  MOMENT   from now on clusters leave the window whose use changes
 *  TABLES   of bitmaps; L1 tables of snapshots, then the active one as it is in memory, and the L2 tables that they lead to
 *  LOWER    counts to the references; what has none is punched and free
 *  COPIED   is set in the head's entries that lack it, where they are the only ones: a second walk, of the head alone
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ExcessWalk {
    /** What it has done. */
    static final class Tally {
        long tables;
        long freed;
        long lowered;
        long copied;
    }

    /**
     * What is walked.
     *
     * @param pace of the L2 tables
     */
    record Roots(List<TableRoot> bitmaps, List<TableRoot> snapshots, WalkPace pace) {}

    private final ImageIo io;
    private final MappingTables tables;
    private final MappingFlusher flusher;
    private final Refcounts refcounts;
    private final Consumer<Outcome> gate;
    private final SeenReferences seen;
    private final Roots roots;
    private final Tally tally;
    private final Runnable tableSeen;
    private final Consumer<@Nullable String> ended;
    private final int clusterBits;
    private final int entryWords;
    private final boolean external;
    private @Nullable TableWalk walk;
    private boolean over;
    private boolean mayChange;
    private long at;
    private long singles;

    /**
     * @param tableSeen run after each table
     * @param ended null, or why nothing more can be lowered
     */
    ExcessWalk(
            LeakReclaim.Parts parts,
            SeenReferences seen,
            Roots roots,
            Tally tally,
            Runnable tableSeen,
            Consumer<@Nullable String> ended) {
        this.io = parts.io();
        this.tables = parts.tables();
        this.flusher = parts.flusher();
        this.refcounts = parts.refcounts();
        this.gate = parts.gate();
        this.seen = seen;
        this.roots = roots;
        this.tally = tally;
        this.tableSeen = tableSeen;
        this.ended = ended;
        Qcow2Header now = parts.header().header();
        this.clusterBits = now.clusterBits();
        this.entryWords = now.hasExtendedL2() ? 2 : 1;
        this.external = now.hasExternalDataFile();
    }

    void start(CountMoment moment) {
        moment.await(
                this::begin, error -> end("requests under way have not ended: " + error.text()));
    }

    /** Nothing more is begun or lowered, and the end is not told. */
    void abandon() {
        seen.close();
        stop();
    }

    private void stop() {
        over = true;
        refcounts.watch(null);
        TableWalk running = walk;
        walk = null;
        if (running != null) {
            running.stop();
        }
    }

    private void begin(ClusterRuns handedOut, ClusterRuns going) {
        if (over) {
            return;
        }
        refcounts.watch(seen);
        for (int i = 0; i < handedOut.size(); i++) {
            for (int j = 0; j < handedOut.count(i); j++) {
                seen.leave(handedOut.start(i) + j);
            }
        }
        for (int i = 0; i < going.size(); i++) {
            for (int j = 0; j < going.count(i); j++) {
                seen.unlinked(going.start(i) + j);
            }
        }
        walk(roots.bitmaps(), new Bits(), WalkPace.NO_REST, this::walkSnapshots);
    }

    private void walkSnapshots() {
        walk(roots.snapshots(), new References(false), roots.pace(), this::walkHead);
    }

    private void walkHead() {
        walk(head(), new References(true), roots.pace(), this::lower);
    }

    private static List<TableRoot> head() {
        return List.of(TableRoot.active(0, Integer.MAX_VALUE));
    }

    private void walk(List<TableRoot> walked, TableVisitor visitor, WalkPace pace, Runnable next) {
        if (over) {
            return;
        }
        TableWalk started =
                new TableWalk(
                        io.loop(),
                        tables,
                        walked,
                        visitor,
                        pace,
                        error -> {
                            if (error.isOk()) {
                                next.run();
                            } else {
                                unreadable(error);
                            }
                        });
        walk = started;
        started.start();
    }

    private void lower() {
        if (!over) {
            refcounts.lower(seen, at, mayChange, this::lowered);
        }
    }

    private void lowered(ExcessTask task) {
        tally.lowered += task.lowered();
        tally.freed += task.unusedCount();
        singles += task.singles();
        at = task.next();
        // Also after a stop: they are counted, and nothing else knows of them.
        refcounts.freeUnused(
                task.unused(),
                freed -> {
                    if (over) {
                        return;
                    }
                    BlockError error = task.error().isOk() ? freed : task.error();
                    if (!error.isOk()) {
                        unreadable(error);
                    } else if (task.needsChange()) {
                        gate.accept(this::passed);
                    } else if (at >= 0) {
                        io.loop().giveWay(this::lower);
                    } else if (singles > 0) {
                        walk(head(), new Copied(), roots.pace(), () -> end(null));
                    } else {
                        end(null);
                    }
                });
    }

    private void passed(BlockError error) {
        if (error.isOk()) {
            mayChange = true;
            lower();
        } else {
            end("the image cannot be changed: " + error.text());
        }
    }

    private void unreadable(BlockError error) {
        end("a table cannot be read: " + error.text());
    }

    private void end(@Nullable String why) {
        if (!over) {
            stop();
            ended.accept(why);
        }
    }

    /** The tables of bitmaps, which lead to clusters of bits. */
    private final class Bits implements TableVisitor {
        @Override
        public boolean enter(int index, long entry) {
            if (BitmapDirectoryLayout.tableFault(entry, clusterBits, io.fileSizeBytes()).isNone()) {
                seen.leave(BitmapDirectoryLayout.dataHostOffset(entry) >>> clusterBits);
            } else {
                end("an entry of a bitmap's table is wrong");
            }
            return false;
        }
    }

    /** L2 tables of all roots. */
    private final class References implements TableVisitor {
        private final boolean ofHead;

        References(boolean ofHead) {
            this.ofHead = ofHead;
        }

        @Override
        public boolean enter(int index, long entry) {
            if (!L1Entry.fault(entry, clusterBits, io.fileSizeBytes()).isNone()
                    || (entry & L1Entry.RESERVED_MASK) != 0) {
                end("L1 entry " + index + " is wrong: " + Long.toHexString(entry));
                return false;
            }
            if (L1Entry.isAllocated(entry)) {
                boolean uncopied = ofHead && !L1Entry.isCopied(entry);
                seen.see(L1Entry.hostOffset(entry) >>> clusterBits, uncopied);
            }
            return L1Entry.isAllocated(entry);
        }

        @Override
        public boolean see(int index, TableWords words) {
            for (int i = 0; i < words.count() && !over && !external; i += entryWords) {
                seeEntry(words.word(i), entryWords == 1 ? 0 : words.word(i + 1));
            }
            return true;
        }

        @Override
        public void leave(int index, boolean whole) {
            tally.tables++;
            tableSeen.run();
        }

        /**
         * Whatever the kind of the entry is: a cluster that it names is in use. One that leads
         * nowhere may mean any cluster, which its repair would need: nothing may be given back
         * then.
         */
        private void seeEntry(long descriptor, long subclusters) {
            boolean compressed = L2Entry.isCompressed(descriptor);
            long from;
            long last;
            boolean leads = true;
            if (compressed) {
                from = L2Entry.compressedHostOffset(descriptor, clusterBits);
                last = from + L2Entry.compressedLengthBytes(descriptor, clusterBits) - 1;
            } else {
                from = L2Entry.hostOffset(descriptor);
                last = from;
                leads =
                        (from & ((1L << clusterBits) - 1)) == 0
                                && (from != 0 || (int) subclusters == 0);
            }
            if (!leads || (last & -(1L << clusterBits)) >= io.fileSizeBytes()) {
                end("an L2 entry is wrong: " + Long.toHexString(descriptor));
                return;
            }
            boolean uncopied = ofHead && !compressed && !L2Entry.isCopied(descriptor);
            for (long cluster = from >>> clusterBits; cluster <= last >>> clusterBits; cluster++) {
                seen.see(cluster, uncopied);
            }
        }
    }

    /** Entries of the head that are the only ones of their clusters. */
    private final class Copied implements TableVisitor {
        @Override
        public boolean mustWait(Steps walking) {
            if (tables.isDirtyFull()) {
                flusher.awaitRoom(walking);
                return true;
            }
            if (tables.isLoopFull()) {
                tables.awaitLoop(walking);
                return true;
            }
            if (tables.isDirtyHigh()) {
                flusher.writeSoon();
            }
            return false;
        }

        /** What a shared table refers to is shared too. */
        @Override
        public boolean enter(int index, long entry) {
            if (!L1Entry.isCopied(entry)
                    && seen.isSingle(L1Entry.hostOffset(entry) >>> clusterBits)) {
                tables.setCopied(index);
                seen.leave(L1Entry.hostOffset(entry) >>> clusterBits);
                tally.copied++;
            }
            return !external && L1Entry.isCopied(tables.l1Entry(index));
        }

        @Override
        public boolean see(int index, TableWords words) {
            Slice slice = tables.peek(tables.firstSlice(index) + words.slice());
            for (int i = 0; i < words.count() && slice != null; i += entryWords) {
                long descriptor = words.word(i);
                long cluster = L2Entry.hostOffset(descriptor) >>> clusterBits;
                if (!L2Entry.isCompressed(descriptor)
                        && !L2Entry.isCopied(descriptor)
                        && seen.isSingle(cluster)) {
                    tables.setEntry(slice, i, descriptor | L2Entry.COPIED, false);
                    seen.leave(cluster);
                    tally.copied++;
                }
            }
            return true;
        }
    }
}
