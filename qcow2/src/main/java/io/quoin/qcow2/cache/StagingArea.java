package io.quoin.qcow2.cache;

import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Join;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.UnsafeApi;

/**
 * What one round of the flusher writes, and where, while requests go on to change the tables:
 * changed slices, which are written from where they are and get other memory if they are changed
 * meanwhile; the rest of new tables; and copies of changed units of the L1 table.
 *
 * <p>Threading: confined(loop).
 */
final class StagingArea {
    /** The owner of a piece that is of no slice. */
    private static final int NONE = -1;

    private static final int L1 = -2;

    private final MappingTables tables;
    private final SliceCache cache;
    private final int unitBits;
    private final List<Slice> slices = new ArrayList<>();
    private final List<NewTable> newTables = new ArrayList<>();
    private long[] hostOffsets = new long[16];
    private long[] addresses = new long[16];
    private long[] sources = new long[16];
    private int[] owners = new int[16];
    private int[] l1Units = new int[16];
    private int count;
    private int l1From;

    StagingArea(MappingTables tables) {
        this.tables = tables;
        this.cache = tables.slices().cache;
        this.unitBits = tables.unitBits();
    }

    /**
     * Takes all that is changed.
     *
     * @return false if there is no memory for it; {@link #restore} and {@link #clear} then
     */
    boolean stage() {
        boolean all = true;
        for (NewTable table : tables.newTables()) {
            newTables.add(table);
            all = all && stageUnchanged(table);
        }
        for (Slice slice : tables.dirty()) {
            // The disk is behind until the round ends: no eviction and reload before.
            slice.pin();
            slice.staged = true;
            slices.add(slice);
            append(tables.hostOffset((int) slice.index), slice.address, 0, slices.size() - 1);
        }
        l1From = count;
        return stageL1() && all;
    }

    private boolean stageUnchanged(NewTable table) {
        for (int i = 0; i < tables.slicesPerTable(); i++) {
            if (tables.isChanged(tables.firstSlice(table.l1Index()) + i)) {
                continue;
            }
            long inTable = (long) i << unitBits;
            long source = table.sourceHostOffset();
            long address = source == 0 ? SliceCache.zeroAddress() : cache.takeFrame();
            if (address == 0) {
                return false;
            }
            append(table.hostOffset() + inTable, address, source == 0 ? 0 : source + inTable, NONE);
        }
        return true;
    }

    private boolean stageL1() {
        ChangedUnits changed = tables.l1Changed();
        int units = tables.l1Units();
        for (int unit = 0; unit < units; unit++) {
            if (changed.has(unit)) {
                long address = cache.takeFrame();
                if (address == 0) {
                    return false;
                }
                encode(tables.l1Entries(), unit << (unitBits - 3), address);
                append(tables.l1HostOffset() + ((long) unit << unitBits), address, 0, L1);
                l1Units[count - 1] = unit;
            }
        }
        return true;
    }

    /** Entries behind the end of the table are zeros. */
    private void encode(long[] entries, int from, long address) {
        for (int i = 0; i < 1 << (unitBits - 3); i++) {
            long entry = from + i < entries.length ? entries[from + i] : 0;
            UnsafeApi.putLong(address + 8L * i, Long.reverseBytes(entry));
        }
    }

    private void append(long hostOffset, long address, long source, int owner) {
        if (count == hostOffsets.length) {
            hostOffsets = Arrays.copyOf(hostOffsets, count * 2);
            addresses = Arrays.copyOf(addresses, count * 2);
            sources = Arrays.copyOf(sources, count * 2);
            owners = Arrays.copyOf(owners, count * 2);
            l1Units = Arrays.copyOf(l1Units, count * 2);
        }
        hostOffsets[count] = hostOffset;
        addresses[count] = address;
        sources[count] = source;
        owners[count] = owner;
        count++;
    }

    /** Whether unchanged parts of copied tables have to be read first. */
    boolean hasCopies() {
        for (NewTable table : newTables) {
            if (table.sourceHostOffset() != 0) {
                return true;
            }
        }
        return false;
    }

    /** Reads them. */
    void copy(ImageIo io, Outcome outcome) {
        Join join = new Join(outcome);
        for (int i = 0; i < count; i++) {
            if (sources[i] != 0) {
                long address = addresses[i];
                Outcome one = join.one();
                io.read(
                        sources[i],
                        address,
                        1 << unitBits,
                        error -> {
                            // What the old table leads to is shared with it.
                            tables.withoutCopied(address);
                            one.done(error);
                        });
            }
        }
        join.started();
    }

    /** Everything staged is in its place: new tables are none any more. */
    void written() {
        for (NewTable table : newTables) {
            tables.written(table);
        }
    }

    /** Nothing staged can be relied on to be on disk: it is to be written again. */
    void restore() {
        for (Slice slice : slices) {
            tables.markDirty(slice);
        }
        for (int i = l1From; i < count; i++) {
            tables.markL1Dirty(l1Units[i]);
        }
    }

    /** Lets go of all. */
    void clear() {
        for (int i = 0; i < count; i++) {
            int owner = owners[i];
            if (owner >= 0) {
                Slice slice = slices.get(owner);
                if (slice.address == addresses[i]) {
                    slice.staged = false;
                } else {
                    cache.keepFrame(addresses[i]);
                }
                slice.unpin();
            } else if (owner == L1 || sources[i] != 0) {
                cache.keepFrame(addresses[i]);
            }
        }
        slices.clear();
        newTables.clear();
        count = 0;
        l1From = 0;
    }

    /** Whether an L1 entry has to wait for a table's content. */
    boolean hasNewTables() {
        return !newTables.isEmpty();
    }

    /** The highest number of a flush that what is staged needs. */
    long flushNeeded() {
        long needed = 0;
        for (Slice slice : slices) {
            needed = Math.max(needed, slice.flushNeeded);
        }
        return needed;
    }

    int count() {
        return count;
    }

    /** The first piece of the L1 table; those before are of L2 tables. */
    int l1From() {
        return l1From;
    }

    void write(ImageIo io, int piece, Outcome outcome) {
        MetadataKind kind = piece < l1From ? MetadataKind.L2_TABLE : MetadataKind.L1_TABLE;
        io.write(kind, hostOffsets[piece], addresses[piece], 1 << unitBits, outcome);
    }
}
