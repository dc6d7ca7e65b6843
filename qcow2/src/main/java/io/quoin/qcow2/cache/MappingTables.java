package io.quoin.qcow2.cache;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * The active L1 table and the L2 tables that are in memory, reached by an array of the L1's length.
 * Clean tables are evicted by a clock; changed ones stay until the {@link MappingFlusher}, the only
 * writer of both, has staged them.
 *
 * <p>Threading: confined(loop).
 */
public final class MappingTables {
    private static final int ALIGNMENT = 4096;
    private static final int TABLES_MIN = 4;
    private static final int UNIT_BYTES_PREFERRED = 4096;
    private static final long DIRTY_BYTES_MAX = 8 << 20;

    private final ImageIo io;
    private final MetadataMap map;
    private final int clusterBits;
    private final int tableWords;
    private final int unitBits;
    private final int tablesMax;
    private final List<L2Table> resident = new ArrayList<>();
    private final List<L2Table> dirty = new ArrayList<>();
    private final ArrayDeque<ByteBuffer> loadBuffers = new ArrayDeque<>();
    private final ArrayDeque<long[]> spareEntries = new ArrayDeque<>();
    private long[] l1;
    private long l1HostOffset;
    private @Nullable L2Table[] tables;
    private long[] l1DirtyUnits = {};
    private int l1DirtyCount;
    private long dirtyUnitCount;
    private int hand;
    private Runnable whenDirty = () -> {};

    /**
     * @param l1 the entries of the active L1 table
     * @param cacheBytes for L2 tables in memory
     */
    public MappingTables(
            ImageIo io,
            MetadataMap map,
            Qcow2Geometry geometry,
            long[] l1,
            long l1HostOffset,
            long cacheBytes) {
        this.io = io;
        this.map = map;
        this.clusterBits = geometry.clusterBits();
        this.tableWords = geometry.clusterSizeBytes() / Long.BYTES;
        int unitBytes =
                Math.max(
                        io.file().geometry().blockSizeMin(),
                        Math.min(UNIT_BYTES_PREFERRED, geometry.clusterSizeBytes()));
        this.unitBits = Integer.numberOfTrailingZeros(unitBytes);
        this.tablesMax = (int) Math.max(TABLES_MIN, Math.min(cacheBytes >>> clusterBits, 1 << 24));
        this.l1 = l1;
        this.l1HostOffset = l1HostOffset;
        this.tables = new L2Table[l1.length];
        this.l1DirtyUnits = new long[(l1Units() + 63) >>> 6];
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

    /** The table if it is in memory and loaded; else null. */
    public @Nullable L2Table find(int l1Index) {
        L2Table table = tables[l1Index];
        if (table == null || table.loading) {
            return null;
        }
        table.referenced = true;
        return table;
    }

    /** As {@link #find} for somebody who looks at every table once: none is kept for that. */
    public @Nullable L2Table peek(int l1Index) {
        L2Table table = tables[l1Index];
        return table == null || table.loading ? null : table;
    }

    /** Whoever had the table loaded does not need it again. */
    public void passed(L2Table table) {
        table.referenced = false;
    }

    /** Whether there is an L2 table at all. */
    public boolean isAllocated(int l1Index) {
        return L1Entry.isAllocated(l1[l1Index]);
    }

    /** Brings the table into memory, then resumes {@code waiter}; on a failure it is told first. */
    public void load(int l1Index, Steps waiter) {
        L2Table present = tables[l1Index];
        if (present != null) {
            Invariant.check(present.loading, "load of a table that is in memory");
            present.waiters.add(waiter);
            return;
        }
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
            waiter.fail(BlockError.EIO);
            waiter.resume();
            return;
        }
        L2Table table = admit(l1Index);
        table.loading = true;
        table.hostOffset = L1Entry.hostOffset(entry);
        table.waiters.add(waiter);
        ByteBuffer buffer = loadBuffers.poll();
        ByteBuffer into =
                buffer == null
                        ? BufferUtil.allocateDirectAligned(1 << clusterBits, ALIGNMENT)
                        : buffer;
        io.read(
                table.hostOffset,
                BufferUtil.address(into),
                1 << clusterBits,
                error -> loaded(table, into, error));
    }

    private void loaded(L2Table table, ByteBuffer from, BlockError error) {
        if (error.isOk()) {
            decode(BufferUtil.address(from), table.entries);
        } else {
            remove(table);
        }
        loadBuffers.add(from);
        table.loading = false;
        for (Steps waiter : table.waiters) {
            if (!error.isOk()) {
                waiter.fail(error);
            }
            waiter.resume();
        }
        table.waiters.clear();
    }

    private static void decode(long address, long[] entries) {
        for (int i = 0; i < entries.length; i++) {
            entries[i] = Long.reverseBytes(UnsafeApi.getLong(address + 8L * i));
        }
    }

    private L2Table admit(int l1Index) {
        if (resident.size() >= tablesMax) {
            evict();
        }
        long[] entries = spareEntries.poll();
        L2Table table =
                new L2Table(
                        l1Index,
                        entries == null ? new long[tableWords] : entries,
                        1 << (clusterBits - unitBits));
        table.referenced = true;
        tables[l1Index] = table;
        resident.add(table);
        return table;
    }

    /** Frees one table; if all are in use there is one more than wanted for a while. */
    private void evict() {
        for (int tries = 2 * resident.size(); tries > 0; tries--) {
            hand = hand + 1 < resident.size() ? hand + 1 : 0;
            L2Table table = resident.get(hand);
            if (table.isEvictable()) {
                if (table.referenced) {
                    table.referenced = false;
                } else {
                    remove(table);
                    spareEntries.add(table.entries);
                    return;
                }
            }
        }
    }

    private void remove(L2Table table) {
        tables[table.l1Index] = null;
        int last = resident.size() - 1;
        int at =
                hand < resident.size() && resident.get(hand) == table
                        ? hand
                        : resident.indexOf(table);
        resident.set(at, resident.get(last));
        resident.remove(last);
    }

    /**
     * Puts an empty table in place of an unallocated L1 entry.
     *
     * @param fresh whether the host cluster has never been used: then the file has zeros there,
     *     which is an empty table too, and the L1 entry need not wait for the content
     */
    public L2Table create(int l1Index, long hostOffset, boolean fresh) {
        Invariant.check(!isAllocated(l1Index), "L2 table exists");
        L2Table table = admit(l1Index);
        Arrays.fill(table.entries, 0);
        place(table, hostOffset, fresh);
        return table;
    }

    /** Moves a shared table to a host cluster of its own; the old one keeps its content. */
    public void move(L2Table table, long hostOffset) {
        place(table, hostOffset, false);
    }

    private void place(L2Table table, long hostOffset, boolean fresh) {
        table.hostOffset = hostOffset;
        table.contentFirst |= !fresh;
        if (!fresh) {
            for (int unit = 0; unit < 1 << (clusterBits - unitBits); unit++) {
                markDirty(table, unit);
            }
        }
        map.add(hostOffset >>> clusterBits, MetadataKind.L2_TABLE);
        setL1(table.l1Index, L1Entry.of(hostOffset, true));
    }

    /**
     * Changes an entry in memory; {@code flushFirst}: what it points to must be durable before it.
     */
    public void setEntry(L2Table table, int word, long entry, boolean flushFirst) {
        table.entries[word] = entry;
        markDirty(table, word >>> (unitBits - 3));
        if (flushFirst) {
            table.flushNeeded = io.nextFlush();
        }
    }

    /** As above for both words of an extended entry, which lie in one unit. */
    public void setEntry(
            L2Table table, int word, long descriptor, long bitmap, boolean flushFirst) {
        table.entries[word + 1] = bitmap;
        setEntry(table, word, descriptor, flushFirst);
    }

    void markDirty(L2Table table, int unit) {
        long bit = 1L << unit;
        if ((table.dirtyUnits[unit >>> 6] & bit) != 0) {
            return;
        }
        boolean first = isClean();
        table.dirtyUnits[unit >>> 6] |= bit;
        if (table.dirtyCount++ == 0) {
            dirty.add(table);
        }
        dirtyUnitCount++;
        if (first) {
            whenDirty.run();
        }
    }

    private void setL1(int l1Index, long entry) {
        l1[l1Index] = entry;
        markL1Dirty(l1Index >>> (unitBits - 3));
    }

    void markL1Dirty(int unit) {
        long bit = 1L << unit;
        if ((l1DirtyUnits[unit >>> 6] & bit) == 0) {
            boolean first = isClean();
            l1DirtyUnits[unit >>> 6] |= bit;
            l1DirtyCount++;
            if (first) {
                whenDirty.run();
            }
        }
    }

    /** Whether memory and disk are the same, as far as writes have been submitted. */
    public boolean isClean() {
        return dirty.isEmpty() && l1DirtyCount == 0;
    }

    /** Whether so much is changed that it should be written soon. */
    public boolean isDirtyHigh() {
        return dirty.size() > tablesMax / 4 || dirtyUnitCount << unitBits > DIRTY_BYTES_MAX / 2;
    }

    /** Whether so much is changed that no more may be before a flush. */
    public boolean isDirtyFull() {
        return dirty.size() > tablesMax / 2 || dirtyUnitCount << unitBits > DIRTY_BYTES_MAX;
    }

    /** Takes over a longer L1 table that has been switched to. */
    public void grow(long[] newL1, long newL1HostOffset) {
        Invariant.check(isClean(), "L1 table grown with changes in memory");
        tables = Arrays.copyOf(tables, newL1.length);
        l1 = newL1;
        l1HostOffset = newL1HostOffset;
        l1DirtyUnits = new long[(l1Units() + 63) >>> 6];
    }

    /**
     * Makes the L1 entry of a table 0 and forgets the table; {@code false} if it is in use. The
     * reference to its cluster is the caller's to drop.
     */
    public boolean drop(L2Table table) {
        if (!table.isEvictable()) {
            return false;
        }
        remove(table);
        setL1(table.l1Index, 0);
        return true;
    }

    /** Takes over that the L1 table has fewer entries; those that go are 0. */
    public void lowerL1(int newSize) {
        Invariant.check(isClean(), "L1 table lowered with changes in memory");
        tables = Arrays.copyOf(tables, newSize);
        l1 = Arrays.copyOf(l1, newSize);
        l1DirtyUnits = new long[(l1Units() + 63) >>> 6];
    }

    /** A copy of the L1 table with {@code newSize} entries. */
    public long[] longerL1(int newSize) {
        return Arrays.copyOf(l1, newSize);
    }

    List<L2Table> dirty() {
        return dirty;
    }

    long[] l1Entries() {
        return l1;
    }

    long[] l1DirtyUnits() {
        return l1DirtyUnits;
    }

    int l1Units() {
        return (int) (((long) l1.length * 8 + (1L << unitBits) - 1) >>> unitBits);
    }

    int unitBits() {
        return unitBits;
    }

    /** The dirty tables are about to be written as they are now. */
    void staged() {
        for (L2Table table : dirty) {
            Arrays.fill(table.dirtyUnits, 0);
            table.dirtyCount = 0;
        }
        dirty.clear();
        dirtyUnitCount = 0;
        Arrays.fill(l1DirtyUnits, 0);
        l1DirtyCount = 0;
    }
}
