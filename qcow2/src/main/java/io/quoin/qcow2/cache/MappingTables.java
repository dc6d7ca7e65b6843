package io.quoin.qcow2.cache;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.UnsafeApi;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The active L1 table and the slices of L2 tables that are in memory, reached by two arrays: by L1
 * index, and by slice in that table. Clean slices leave when the {@link SliceCache} needs room;
 * changed ones stay until the {@link MappingFlusher}, the only writer of both, has written them.
 *
 * <p>Slices are numbered through all tables. What is known to be zeros is never read; a table in a
 * used place, and a copy of a shared one, is a {@link NewTable} until all of it has been written.
 *
 * <p>Threading: confined(loop).
 */
public final class MappingTables {
    private final ImageIo io;
    private final MetadataMap map;
    private final SliceSet set;
    private final int clusterBits;

    /** Of the slices of a table, which are also the units in which tables are written. */
    private final int unitBits;

    private final int sliceBits;
    private final List<Slice> dirty = new ArrayList<>();
    private final ZeroSlices zeros = new ZeroSlices();
    private final Int2ObjectHashMap<NewTable> newTables = new Int2ObjectHashMap<>();
    private long[] l1;
    private long l1HostOffset;
    private @Nullable Slice[][] tables;
    private final ChangedUnits l1Changed = new ChangedUnits();
    private final int entryWords;
    private boolean cut;
    private Runnable whenDirty = () -> {};

    /**
     * @param l1 the entries of the active L1 table
     * @param cache where slices have their memory
     * @param cacheBytes about how much of it at most
     */
    public MappingTables(
            ImageIo io,
            MetadataMap map,
            Qcow2Geometry geometry,
            long[] l1,
            long l1HostOffset,
            SliceCache cache,
            long cacheBytes) {
        this.io = io;
        this.map = map;
        this.clusterBits = geometry.clusterBits();
        this.unitBits = geometry.sliceBits();
        this.sliceBits = clusterBits - unitBits;
        this.set = cache.open(SliceSet.Kind.MAPPING, cacheBytes, io.loop(), this::evicted);
        this.entryWords = geometry.extendedL2() ? 2 : 1;
        this.l1 = l1;
        this.l1HostOffset = l1HostOffset;
        this.tables = new Slice[l1.length][];
    }

    /** What to do when the first change is made after a flush: arrange for the next one. */
    public void whenDirty(Runnable action) {
        whenDirty = action;
    }

    public int l1Size() {
        return l1.length;
    }

    public long l1HostOffset() {
        return l1HostOffset;
    }

    public long l1Entry(int l1Index) {
        return l1[l1Index];
    }

    /** Which table a slice is of. */
    public int l1Index(int sliceIndex) {
        return sliceIndex >>> sliceBits;
    }

    /** The first slice of a table. */
    public int firstSlice(int l1Index) {
        return l1Index << sliceBits;
    }

    public int slicesPerTable() {
        return 1 << sliceBits;
    }

    /** Words in a slice. */
    public int sliceWords() {
        return 1 << (unitBits - 3);
    }

    /** Where a slice is on disk, or will be. */
    public long hostOffset(int sliceIndex) {
        return L1Entry.hostOffset(l1[sliceIndex >>> sliceBits]) + inTable(sliceIndex);
    }

    private long inTable(int sliceIndex) {
        return (long) (sliceIndex & ((1 << sliceBits) - 1)) << unitBits;
    }

    private @Nullable Slice at(int sliceIndex) {
        Slice[] table = tables[sliceIndex >>> sliceBits];
        return table == null ? null : table[sliceIndex & ((1 << sliceBits) - 1)];
    }

    /** The slice if it is in memory and loaded; else null. */
    public @Nullable Slice find(int sliceIndex) {
        Slice slice = at(sliceIndex);
        if (slice == null || slice.loading) {
            return null;
        }
        slice.touch();
        return slice;
    }

    /** As {@link #find} for a walk that looks at every slice once: none is kept for that. */
    public @Nullable Slice peek(int sliceIndex) {
        Slice slice = at(sliceIndex);
        return slice == null || slice.loading ? null : slice;
    }

    /** Whether there is an L2 table at all. */
    public boolean isAllocated(int l1Index) {
        return L1Entry.isAllocated(l1[l1Index]);
    }

    /**
     * Brings the slice into memory, then resumes {@code waiter}, which looks for it again; on a
     * failure it is told first.
     */
    public void load(int sliceIndex, Steps waiter) {
        Slice present = at(sliceIndex);
        if (present != null) {
            Invariant.check(present.loading, "load of a slice that is in memory");
            present.waiters.add(waiter);
            return;
        }
        boolean isZero = zeros.contains(sliceIndex);
        if (!isZero && !isSound(sliceIndex >>> sliceBits)) {
            fail(waiter, BlockError.EIO);
            return;
        }
        Slice slice = set.tryTake(sliceIndex);
        if (slice == null) {
            if (set.cache.isOutOfMemory()) {
                fail(waiter, BlockError.ENOMEM);
            } else {
                set.await(waiter);
            }
            return;
        }
        put(slice, sliceIndex);
        if (isZero) {
            UnsafeApi.setMemory(slice.address, 1L << unitBits, (byte) 0);
            waiter.resume();
        } else {
            slice.loading(true);
            slice.waiters.add(waiter);
            read(slice);
        }
    }

    private static void fail(Steps waiter, BlockError error) {
        waiter.fail(error);
        waiter.resume();
    }

    private boolean isSound(int l1Index) {
        long entry = l1[l1Index];
        EntryFault fault = L1Entry.fault(entry, clusterBits, io.fileSizeBytes());
        if (fault.isNone() && (entry & L1Entry.RESERVED_MASK) != 0) {
            fault = EntryFault.RESERVED_BITS;
        }
        if (!fault.isNone()) {
            io.health()
                    .corrupt(
                            "L1 entry " + l1Index + ": " + fault.text(),
                            l1HostOffset + 8L * l1Index,
                            entry);
        }
        return fault.isNone();
    }

    private void put(Slice slice, int sliceIndex) {
        int l1Index = sliceIndex >>> sliceBits;
        Slice[] table = tables[l1Index];
        if (table == null) {
            table = new Slice[1 << sliceBits];
            tables[l1Index] = table;
        }
        table[sliceIndex & ((1 << sliceBits) - 1)] = slice;
    }

    /** Where its content is on disk: a copy that is not written yet has it in the old place. */
    private long sourceHostOffset(int sliceIndex) {
        NewTable copy = newTables.get(sliceIndex >>> sliceBits);
        return copy == null || copy.sourceHostOffset() == 0
                ? hostOffset(sliceIndex)
                : copy.sourceHostOffset() + inTable(sliceIndex);
    }

    private void read(Slice slice) {
        slice.sourceHostOffset = sourceHostOffset((int) slice.index);
        io.read(
                slice.sourceHostOffset,
                slice.address,
                1 << unitBits,
                error -> loaded(slice, error));
    }

    private void loaded(Slice slice, BlockError error) {
        if (error.isOk() && slice.sourceHostOffset != sourceHostOffset((int) slice.index)) {
            // The table has moved, and its old place may be something else by now.
            read(slice);
            return;
        }
        NewTable copy = newTables.get((int) slice.index >>> sliceBits);
        if (error.isOk() && copy != null && copy.sourceHostOffset() != 0) {
            withoutCopied(slice.address);
        }
        slice.loading(false);
        List<Steps> waiters = List.copyOf(slice.waiters);
        slice.waiters.clear();
        if (error.isOk()) {
            // The clock spares it until each of them has seen it.
            slice.referenced = true;
        } else {
            forget(slice);
        }
        Steps.resumeAll(waiters, error);
        slice.referenced = waiters.size() > 1;
    }

    /** Lets a slice go that was loaded for one look and that nothing else has used since. */
    public void leave(int sliceIndex) {
        Slice slice = sliceIndex >>> sliceBits < tables.length ? at(sliceIndex) : null;
        if (slice != null && slice.isNew && !slice.referenced && slice.isEvictable()) {
            forget(slice);
        }
    }

    private void forget(Slice slice) {
        evicted(slice);
        set.drop(slice);
    }

    private void evicted(Slice slice) {
        int l1Index = (int) slice.index >>> sliceBits;
        Slice[] table = tables[l1Index];
        if (table == null) {
            return;
        }
        table[(int) slice.index & (table.length - 1)] = null;
        for (Slice other : table) {
            if (other != null) {
                return;
            }
        }
        tables[l1Index] = null;
    }

    /**
     * Puts an empty table in place of an unallocated L1 entry.
     *
     * @param fresh whether the host cluster has never been used: then the file has zeros there,
     *     which is an empty table too, and the L1 entry need not wait for the content
     */
    public void create(int l1Index, long hostOffset, boolean fresh) {
        Invariant.check(!isAllocated(l1Index), "L2 table exists");
        zeros.addAll(firstSlice(l1Index), 1 << sliceBits);
        place(l1Index, hostOffset, fresh ? null : new NewTable(l1Index, hostOffset, 0));
    }

    /**
     * Moves a shared table to a host cluster of its own; the old one keeps its content. Its
     * clusters are shared too, so that none of its entries says COPIED.
     */
    public void move(int l1Index, long hostOffset) {
        NewTable unwritten = newTables.get(l1Index);
        long source =
                unwritten == null ? L1Entry.hostOffset(l1[l1Index]) : unwritten.sourceHostOffset();
        stripSlices(l1Index);
        place(l1Index, hostOffset, new NewTable(l1Index, hostOffset, source));
    }

    /**
     * The moment of a snapshot: no entry of the L1 table says COPIED any more, so that each table
     * is moved at its next change. No request is under way and nothing is staged.
     *
     * @return the L1 table as it was
     */
    public long[] cut() {
        long[] before = l1.clone();
        for (Slice slice : dirty) {
            withoutCopied(slice.address);
        }
        for (int i = 0; i < l1.length; i++) {
            if (L1Entry.isCopied(l1[i])) {
                setL1(i, l1[i] & ~L1Entry.COPIED);
            }
        }
        cut = true;
        return before;
    }

    /**
     * Takes {@link #cut} back for entries that have not changed since.
     *
     * @param before the L1 table as it was
     * @param from the first entry that may be taken back
     */
    public void undoCut(long[] before, int from) {
        for (int i = from; i < before.length; i++) {
            if (L1Entry.isCopied(before[i]) && l1[i] == (before[i] & ~L1Entry.COPIED)) {
                setL1(i, before[i]);
            }
        }
    }

    /**
     * Whether COPIED in an entry of this slice counts: not in a table that a snapshot shares. Costs
     * a look at a field as long as no snapshot was made.
     */
    public boolean isCopiedValid(int sliceIndex) {
        return !cut || L1Entry.isCopied(l1[sliceIndex >>> sliceBits]);
    }

    /**
     * Takes COPIED off the entries in memory of a table, if it is shared: nothing changes it then.
     *
     * @param l1Index of a snapshot, whose L1 table may be longer than the disk's
     */
    public void stripSlices(int l1Index) {
        Slice[] table = l1Index < l1.length ? tables[l1Index] : null;
        if (table == null || L1Entry.isCopied(l1[l1Index])) {
            return;
        }
        for (Slice slice : table) {
            // What is staged is of the cut itself, which has taken it off.
            if (slice != null && !slice.loading && !slice.staged) {
                withoutCopied(slice.address);
            }
        }
    }

    /** Takes COPIED off all entries of a slice; says whether there was one. */
    public boolean withoutCopied(long address) {
        return CopiedBits.clear(address, sliceWords(), entryWords);
    }

    private void place(int l1Index, long hostOffset, @Nullable NewTable written) {
        if (written != null) {
            boolean first = isClean();
            newTables.put(l1Index, written);
            if (first) {
                whenDirty.run();
            }
        }
        map.add(hostOffset >>> clusterBits, MetadataKind.L2_TABLE);
        setL1(l1Index, L1Entry.of(hostOffset, true));
    }

    /**
     * Changes an entry in memory; {@code flushFirst}: what it points to must be durable before it.
     *
     * @param word of the slice
     */
    public void setEntry(Slice slice, int word, long entry, boolean flushFirst) {
        if (change(slice)) {
            slice.entry(word, entry);
            if (flushFirst) {
                slice.flushNeeded = io.nextFlush();
            }
        }
    }

    /** As above for both words of an extended entry, which lie in one unit. */
    public void setEntry(Slice slice, int word, long descriptor, long bitmap, boolean flushFirst) {
        if (change(slice)) {
            slice.entry(word + 1, bitmap);
            setEntry(slice, word, descriptor, flushFirst);
        }
    }

    /** Makes it a changed one; false, and the image is fenced, if there is no memory for that. */
    private boolean change(Slice slice) {
        if (slice.staged) {
            // What is being written stays as it is.
            long address = set.cache.takeFrame();
            if (address == 0) {
                io.health().fence("no memory for a changed L2 table", BlockError.ENOMEM);
                return false;
            }
            UnsafeApi.copyMemory(slice.address, address, 1L << unitBits);
            slice.address = address;
            slice.staged = false;
        }
        if (!slice.isDirty()) {
            markDirty(slice);
            zeros.remove((int) slice.index);
        }
        return true;
    }

    void markDirty(Slice slice) {
        if (slice.isDirty()) {
            return;
        }
        boolean first = isClean();
        slice.dirty(true);
        dirty.add(slice);
        if (first) {
            whenDirty.run();
        }
    }

    /** Nothing but its L1 entry refers to a table: it may be changed where it is. */
    public void setCopied(int l1Index) {
        map.add(L1Entry.hostOffset(l1[l1Index]) >>> clusterBits, MetadataKind.L2_TABLE);
        setL1(l1Index, l1[l1Index] | L1Entry.COPIED);
    }

    private void setL1(int l1Index, long entry) {
        l1[l1Index] = entry;
        markL1Dirty(l1Index >>> (unitBits - 3));
    }

    void markL1Dirty(int unit) {
        boolean first = isClean();
        if (l1Changed.add(unit) && first) {
            whenDirty.run();
        }
    }

    /** Whether memory and disk are the same, as far as writes have been submitted. */
    public boolean isClean() {
        return dirty.isEmpty() && l1Changed.isEmpty() && newTables.isEmpty();
    }

    /** Whether so much is changed that it should be written soon. */
    public boolean isDirtyHigh() {
        return dirtyWeight() > set.cache.dirtyMax(set) / 2;
    }

    /** Whether so much is changed that no more may be before it is written. */
    public boolean isDirtyFull() {
        return dirtyWeight() > set.cache.dirtyMax(set);
    }

    private long dirtyWeight() {
        return dirty.size() + ((long) newTables.size() << sliceBits);
    }

    /** Whether all images of the loop together have so much changed that no more may be. */
    public boolean isLoopFull() {
        return set.cache.isHeldFull();
    }

    /** Resumes {@code waiter} when that is no longer so. */
    public void awaitLoop(Steps waiter) {
        set.awaitHeld(waiter);
    }

    SliceSet slices() {
        return set;
    }

    /**
     * Takes over a longer L1 table that has been switched to, as it is on disk. Entries that got
     * COPIED since (by the walk that lowers counts) are written to it later.
     */
    public void grow(long[] written, long newL1HostOffset) {
        Invariant.check(CopiedBits.onlyDiffer(l1, written), "L1 table grown with changes");
        resizeL1(written.length);
        l1HostOffset = newL1HostOffset;
    }

    private void resizeL1(int newSize) {
        Invariant.check(newTables.isEmpty(), "L1 table resized with new tables in memory");
        tables = Arrays.copyOf(tables, newSize);
        l1 = Arrays.copyOf(l1, newSize);
        Invariant.check(l1Changed.end() <= l1Units(), "L1 table cut with changes behind its end");
    }

    /**
     * Makes the L1 entry of a table 0 and forgets its slices; {@code false} if one is in use. The
     * reference to its cluster is the caller's to drop.
     */
    public boolean drop(int l1Index) {
        Slice[] table = tables[l1Index];
        if (newTables.containsKey(l1Index)) {
            return false;
        }
        if (table != null) {
            for (Slice slice : table) {
                if (slice != null && !slice.isEvictable()) {
                    return false;
                }
            }
            for (Slice slice : table) {
                if (slice != null) {
                    forget(slice);
                }
            }
        }
        for (int i = 0; i < 1 << sliceBits; i++) {
            zeros.remove(firstSlice(l1Index) + i);
        }
        setL1(l1Index, 0);
        return true;
    }

    /** Takes over that the L1 table has fewer entries; those that go are 0, on disk too. */
    public void lowerL1(int newSize) {
        Invariant.check(
                Arrays.stream(l1, newSize, l1.length).allMatch(e -> e == 0), "L1 table cut");
        resizeL1(newSize);
    }

    /** A copy of the L1 table with {@code newSize} entries. */
    public long[] longerL1(int newSize) {
        return Arrays.copyOf(l1, newSize);
    }

    /** Gives the memory of all slices back: nothing of the image is under way any more. */
    public void close() {
        set.close();
    }

    List<Slice> dirty() {
        return dirty;
    }

    Iterable<NewTable> newTables() {
        return newTables.values();
    }

    /** A new table has been written as a whole; if it has moved since, that is a copy of it. */
    void written(NewTable table) {
        NewTable now = newTables.get(table.l1Index());
        if (table.equals(now)) {
            newTables.remove(table.l1Index());
        } else if (now != null) {
            newTables.put(
                    now.l1Index(),
                    new NewTable(now.l1Index(), now.hostOffset(), table.hostOffset()));
        }
    }

    /** Whether a slice of a new table will be written for its own changes. */
    boolean isChanged(int sliceIndex) {
        Slice slice = at(sliceIndex);
        return slice != null && slice.isDirty();
    }

    long[] l1Entries() {
        return l1;
    }

    ChangedUnits l1Changed() {
        return l1Changed;
    }

    int l1Units() {
        return (int) (((long) l1.length * 8 + (1L << unitBits) - 1) >>> unitBits);
    }

    int unitBits() {
        return unitBits;
    }

    /** What is changed is about to be written as it is now. */
    void staged() {
        for (Slice slice : dirty) {
            slice.dirty(false);
        }
        dirty.clear();
        l1Changed.clear();
    }
}
