package io.quoin.qcow2.cache;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/**
 * Copies of changed units of tables, in the byte order of the disk, and where each run of them
 * goes: what one round of the flusher writes while requests go on to change the tables.
 *
 * <p>Threading: confined(loop).
 */
final class StagingArea {
    private static final int SLAB_BYTES = 1 << 20;
    private static final int SLABS_KEPT = 8;
    private static final int ALIGNMENT = 4096;

    private final List<ByteBuffer> slabs = new ArrayList<>();
    private final List<L2Table> tables = new ArrayList<>();
    private long[] hostOffsets = new long[16];
    private long[] addresses = new long[16];
    private int[] lengths = new int[16];
    private int[] firstUnits = new int[16];
    private int[] owners = new int[16];
    private int count;
    private int l1From;
    private int slab;
    private int slabUsed;
    private int unitBits;

    void clear() {
        count = 0;
        l1From = 0;
        slab = 0;
        slabUsed = 0;
        for (L2Table table : tables) {
            table.unpin();
        }
        tables.clear();
        while (slabs.size() > SLABS_KEPT) {
            slabs.remove(slabs.size() - 1);
        }
    }

    void stage(L2Table table, int bits) {
        unitBits = bits;
        // The disk is behind until the round ends: no eviction and reload before.
        table.pin();
        tables.add(table);
        stageRuns(table.dirtyUnits, table.entries, table.hostOffset, tables.size() - 1);
    }

    /** What follows is the L1 table's. */
    void beginL1() {
        l1From = count;
    }

    void stageL1(MappingTables mapping) {
        unitBits = mapping.unitBits();
        stageRuns(mapping.l1DirtyUnits(), mapping.l1Entries(), mapping.l1HostOffset(), -1);
    }

    private void stageRuns(long[] dirtyUnits, long[] entries, long hostOffset, int owner) {
        int unitsPerPiece = Math.max(1, SLAB_BYTES >>> unitBits);
        int units = dirtyUnits.length << 6;
        int unit = nextSet(dirtyUnits, 0, units);
        while (unit < units) {
            int end = unit + 1;
            while (end < units
                    && end - unit < unitsPerPiece
                    && (dirtyUnits[end >>> 6] >>> end & 1) != 0) {
                end++;
            }
            int lengthBytes = (end - unit) << unitBits;
            long address = allocate(lengthBytes);
            encode(entries, unit << (unitBits - 3), lengthBytes >>> 3, address);
            append(hostOffset + ((long) unit << unitBits), address, lengthBytes, unit, owner);
            unit = nextSet(dirtyUnits, end, units);
        }
    }

    private static int nextSet(long[] words, int from, int limit) {
        int unit = from;
        while (unit < limit) {
            long rest = words[unit >>> 6] >>> unit;
            if (rest != 0) {
                return unit + Long.numberOfTrailingZeros(rest);
            }
            unit = (unit | 63) + 1;
        }
        return limit;
    }

    /** Entries behind the end of a table are zeros. */
    private static void encode(long[] entries, int from, int entryCount, long address) {
        for (int i = 0; i < entryCount; i++) {
            long entry = from + i < entries.length ? entries[from + i] : 0;
            UnsafeApi.putLong(address + 8L * i, Long.reverseBytes(entry));
        }
    }

    private long allocate(int lengthBytes) {
        if (slab < slabs.size() && slabUsed + lengthBytes > slabs.get(slab).capacity()) {
            slab++;
            slabUsed = 0;
        }
        if (slab == slabs.size()) {
            slabs.add(
                    BufferUtil.allocateDirectAligned(Math.max(SLAB_BYTES, lengthBytes), ALIGNMENT));
        }
        long address = BufferUtil.address(slabs.get(slab)) + slabUsed;
        slabUsed += lengthBytes;
        return address;
    }

    private void append(long hostOffset, long address, int lengthBytes, int unit, int owner) {
        if (count == hostOffsets.length) {
            hostOffsets = Arrays.copyOf(hostOffsets, count * 2);
            addresses = Arrays.copyOf(addresses, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
            firstUnits = Arrays.copyOf(firstUnits, count * 2);
            owners = Arrays.copyOf(owners, count * 2);
        }
        hostOffsets[count] = hostOffset;
        addresses[count] = address;
        lengths[count] = lengthBytes;
        firstUnits[count] = unit;
        owners[count] = owner;
        count++;
    }

    /** Everything staged is durable. */
    void committed() {
        for (L2Table table : tables) {
            table.contentFirst = false;
        }
    }

    /** Nothing staged can be relied on to be on disk: it is to be written again. */
    void restore(MappingTables mapping) {
        for (int i = 0; i < count; i++) {
            for (int unit = 0; unit < lengths[i] >>> unitBits; unit++) {
                if (owners[i] < 0) {
                    mapping.markL1Dirty(firstUnits[i] + unit);
                } else {
                    mapping.markDirty(tables.get(owners[i]), firstUnits[i] + unit);
                }
            }
        }
    }

    int count() {
        return count;
    }

    /** The first piece of the L1 table; those before are of L2 tables. */
    int l1From() {
        return l1From;
    }

    long hostOffset(int piece) {
        return hostOffsets[piece];
    }

    long address(int piece) {
        return addresses[piece];
    }

    int lengthBytes(int piece) {
        return lengths[piece];
    }
}
