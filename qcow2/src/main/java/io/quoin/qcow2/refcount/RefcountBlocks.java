package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.cache.SliceSet;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Join;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The refcount table and the slices of refcount blocks that are in memory. Counts go up here before
 * anything points to the cluster and down after nothing does, so that blocks may be written at any
 * time.
 *
 * <p>A block that was made here is written as a whole the first time; until then what is not in
 * memory of it is zeros.
 *
 * <p>Threading: confined(loop), used by one refcount task at a time.
 */
final class RefcountBlocks {
    private static final long CACHE_BYTES = 4 << 20;
    private static final int ALIGNMENT = 4096;

    /** So many writes that are durable by themselves cost less than a flush of everything. */
    private static final int DURABLE_WRITES_MAX = 4;

    private final ImageIo io;
    private final MetadataMap map;
    private final RefcountLayout layout;
    private final SliceSet set;
    private final int clusterBits;
    private final int unitBytes;

    /** Counts in a slice, as a power of two. */
    private final int countBits;

    private final Long2ObjectHashMap<Slice> resident = new Long2ObjectHashMap<>();
    private final List<Slice> dirty = new ArrayList<>();
    private final List<RefcountBlock> unwritten = new ArrayList<>();
    private final UnsafeBuffer view = new UnsafeBuffer(0, 0);
    private long[] table;
    private long tableHostOffset;
    private int tableDirtyFrom = Integer.MAX_VALUE;
    private int tableDirtyTo = -1;
    private @Nullable SeenReferences watching;

    RefcountBlocks(
            ImageIo io, MetadataMap map, Qcow2Header header, long[] table, SliceCache cache) {
        this.io = io;
        this.map = map;
        this.layout = header.refcounts();
        this.clusterBits = header.clusterBits();
        this.table = table;
        this.tableHostOffset = header.refcountTableOffset();
        this.unitBytes = 1 << header.geometry().sliceBits();
        this.countBits = Integer.numberOfTrailingZeros(unitBytes * Byte.SIZE / layout.widthBits());
        this.set = cache.open(SliceSet.Kind.COUNTS, CACHE_BYTES, io.loop(), this::evicted);
    }

    /** A cluster whose use may change leaves {@code seen}; null: no more. */
    void watch(@Nullable SeenReferences seen) {
        watching = seen;
    }

    /** The last reference in memory to a cluster may be gone. */
    void unlinked(long clusterIndex) {
        SeenReferences seen = watching;
        if (seen != null) {
            seen.unlinked(clusterIndex);
        }
    }

    ImageIo io() {
        return io;
    }

    MetadataMap map() {
        return map;
    }

    RefcountLayout layout() {
        return layout;
    }

    int clusterBits() {
        return clusterBits;
    }

    long tableHostOffset() {
        return tableHostOffset;
    }

    int tableSize() {
        return table.length;
    }

    long[] longerTable(int newSize) {
        return Arrays.copyOf(table, newSize);
    }

    /** Whether the refcount table has room for the block that counts {@code clusterIndex}. */
    boolean isCovered(long clusterIndex) {
        return layout.blockIndex(clusterIndex) < table.length;
    }

    /**
     * Whether an L1 or L2 entry can point to the cluster. The first that is out of reach is also
     * the first that its block counts.
     */
    boolean isReachable(long clusterIndex) {
        return clusterIndex < L2Entry.HOST_OFFSET_END >>> clusterBits();
    }

    /** Whether there is a block that counts {@code clusterIndex}; without one its count is 0. */
    boolean hasBlock(long clusterIndex) {
        return isCovered(clusterIndex) && table[(int) layout.blockIndex(clusterIndex)] != 0;
    }

    /** The slice that counts {@code clusterIndex} if it is in memory. */
    @Nullable Slice find(long clusterIndex) {
        Slice slice = resident.get(clusterIndex >>> countBits);
        if (slice != null) {
            slice.touch();
        }
        return slice;
    }

    /** Whether {@code slice} counts {@code clusterIndex}. */
    boolean counts(Slice slice, long clusterIndex) {
        return clusterIndex >>> countBits == slice.index();
    }

    /** The first cluster that the slice of {@code clusterIndex} counts. */
    long sliceStart(long clusterIndex) {
        return clusterIndex >>> countBits << countBits;
    }

    /** The first cluster behind those that the slice of {@code clusterIndex} counts. */
    long sliceEnd(long clusterIndex) {
        return sliceStart(clusterIndex) + (1L << countBits);
    }

    /** Reads the slice that counts {@code clusterIndex} into memory. */
    void load(long clusterIndex, Outcome outcome) {
        if (isUnwritten(layout.blockIndex(clusterIndex))) {
            outcome.done(zeros(clusterIndex) == null ? BlockError.ENOMEM : BlockError.OK);
            return;
        }
        long blockIndex = layout.blockIndex(clusterIndex);
        long entry = table[(int) blockIndex];
        long hostOffset = RefcountLayout.blockHostOffset(entry);
        EntryFault fault = RefcountLayout.tableFault(entry, clusterBits, io.fileSizeBytes());
        if (!fault.isNone()
                || map.kindOf(hostOffset >>> clusterBits) != MetadataKind.REFCOUNT_BLOCK) {
            io.health()
                    .corrupt(
                            "refcount table entry " + blockIndex + ": " + fault.text(),
                            tableHostOffset + 8 * blockIndex,
                            entry);
            outcome.done(BlockError.EIO);
            return;
        }
        Slice slice = admit(clusterIndex);
        if (slice == null) {
            outcome.done(BlockError.ENOMEM);
            return;
        }
        slice.loading(true);
        io.read(
                hostOffset + inBlock(slice),
                slice.address(),
                unitBytes,
                error -> {
                    slice.loading(false);
                    if (!error.isOk()) {
                        remove(slice);
                    }
                    outcome.done(error);
                });
    }

    private long inBlock(Slice slice) {
        long cluster = slice.index() << countBits;
        return (long) layout.indexInBlock(cluster)
                >>> countBits
                << Integer.numberOfTrailingZeros(unitBytes);
    }

    private boolean isUnwritten(long blockIndex) {
        return unwrittenOf(blockIndex) != null;
    }

    private @Nullable RefcountBlock unwrittenOf(long blockIndex) {
        for (RefcountBlock block : unwritten) {
            if (block.blockIndex() == blockIndex) {
                return block;
            }
        }
        return null;
    }

    /** A new block of zeros for {@code clusterIndex}, at host cluster {@code atCluster}. */
    RefcountBlock create(long clusterIndex, long atCluster) {
        RefcountBlock block = place(layout.blockIndex(clusterIndex), atCluster);
        int blockIndex = (int) block.blockIndex();
        table[blockIndex] = block.hostOffset();
        tableDirtyFrom = Math.min(tableDirtyFrom, blockIndex);
        tableDirtyTo = Math.max(tableDirtyTo, blockIndex);
        return block;
    }

    /**
     * Takes back a block that {@link #create} made and to which no durable table entry that counts
     * leads: what it would have counted is free. If an entry is on disk all the same, it leads to
     * counts that are too high.
     */
    void takeBack(RefcountBlock block) {
        table[(int) block.blockIndex()] = 0;
        forget(block);
    }

    /** As {@link #create} for a table that is not the image's yet. */
    RefcountBlock place(long blockIndex, long atCluster) {
        Invariant.check(
                blockIndex >= table.length || table[(int) blockIndex] == 0,
                "a refcount block would be replaced");
        RefcountBlock block = new RefcountBlock(blockIndex, atCluster << clusterBits);
        unwritten.add(block);
        map.add(atCluster, MetadataKind.REFCOUNT_BLOCK);
        return block;
    }

    /**
     * The slice that counts {@code clusterIndex} of a block that is not written yet, which needs no
     * reading; null if there is no memory.
     */
    @Nullable Slice zeros(long clusterIndex) {
        Slice slice = find(clusterIndex);
        if (slice == null) {
            slice = admit(clusterIndex);
            if (slice != null) {
                UnsafeApi.setMemory(slice.address(), unitBytes, (byte) 0);
            }
        }
        return slice;
    }

    private @Nullable Slice admit(long clusterIndex) {
        Slice slice = set.take(clusterIndex >>> countBits);
        if (slice != null) {
            resident.put(slice.index(), slice);
        }
        return slice;
    }

    private void evicted(Slice slice) {
        resident.remove(slice.index());
    }

    /** Forgets a block that {@link #place} made for a table that never became the image's. */
    void forget(RefcountBlock block) {
        map.remove(block.hostOffset() >>> clusterBits);
        unwritten.remove(block);
        long first = block.blockIndex() * layout.blockEntries();
        for (long at = first; at < first + layout.blockEntries(); at += 1L << countBits) {
            Slice slice = resident.get(at >>> countBits);
            if (slice != null) {
                remove(slice);
            }
        }
    }

    private void remove(Slice slice) {
        resident.remove(slice.index());
        if (slice.isDirty()) {
            dirty.remove(slice);
        }
        set.drop(slice);
    }

    /** Gives all memory back: nothing is under way any more. */
    void close() {
        set.close();
    }

    /** The count of a cluster whose slice is in memory. */
    long count(Slice slice, long clusterIndex) {
        view.wrap(slice.address(), unitBytes);
        return layout.get(view, 0, indexInSlice(clusterIndex));
    }

    private int indexInSlice(long clusterIndex) {
        return (int) clusterIndex & ((1 << countBits) - 1);
    }

    void setCount(Slice slice, long clusterIndex, long count) {
        Invariant.check(counts(slice, clusterIndex), "count in the wrong slice");
        SeenReferences seen = watching;
        if (seen != null) {
            seen.countChanged(clusterIndex, count(slice, clusterIndex), count);
        }
        view.wrap(slice.address(), unitBytes);
        layout.set(view, 0, indexInSlice(clusterIndex), count);
        markDirty(slice);
    }

    private void markDirty(Slice slice) {
        if (!slice.isDirty()) {
            slice.dirty(true);
            dirty.add(slice);
        }
    }

    boolean isDirty() {
        return isTableDirty() || !dirty.isEmpty() || !unwritten.isEmpty();
    }

    boolean isTableDirty() {
        return tableDirtyTo >= 0;
    }

    /** Writes every changed block; the caller changes none until the outcome. */
    void writeBlocks(Outcome outcome) {
        writeBlocks(false, outcome);
    }

    /**
     * As {@link #writeBlocks(Outcome)}, and makes them durable: few writes each by itself, so that
     * nothing waits for the guest's data to be flushed.
     */
    private void writeBlocksDurably(Outcome outcome) {
        if (dirty.size() + unwritten.size() <= DURABLE_WRITES_MAX) {
            writeBlocks(true, outcome);
        } else {
            writeBlocks(false, outcome.ifOk(() -> io.flush(outcome)));
        }
    }

    /** Blocks, then the table entries of new ones, each durable before what follows. */
    void writeAllDurably(Outcome outcome) {
        writeBlocksDurably(
                isTableDirty() ? outcome.ifOk(() -> writeTableDurably(outcome)) : outcome);
    }

    /** Whether so many slices are changed that they should be written, to be evicted later. */
    boolean isShortOfClean() {
        return set.isDirtyFull(dirty.size());
    }

    private void writeBlocks(boolean durably, Outcome outcome) {
        List<Slice> written = new ArrayList<>(dirty);
        List<RefcountBlock> wholes = new ArrayList<>(unwritten);
        dirty.clear();
        for (Slice slice : written) {
            slice.pin();
            slice.dirty(false);
        }
        Join join =
                new Join(
                        error -> {
                            if (error.isOk()) {
                                unwritten.removeAll(wholes);
                            } else {
                                written.forEach(this::markDirty);
                            }
                            written.forEach(Slice::unpin);
                            outcome.done(error);
                        });
        for (RefcountBlock block : wholes) {
            writeWhole(block, durably, join);
        }
        for (Slice slice : written) {
            long blockIndex = layout.blockIndex(slice.index() << countBits);
            if (unwrittenOf(blockIndex) == null) {
                long blockHost = RefcountLayout.blockHostOffset(table[(int) blockIndex]);
                write(blockHost + inBlock(slice), slice.address(), unitBytes, durably, join.one());
            }
        }
        join.started();
    }

    private void writeWhole(RefcountBlock block, boolean durably, Join join) {
        TransferMemory memory = new TransferMemory(1 << clusterBits);
        long address = memory.address();
        long first = block.blockIndex() * layout.blockEntries();
        for (long at = first; at < first + layout.blockEntries(); at += 1L << countBits) {
            Slice slice = resident.get(at >>> countBits);
            if (slice != null) {
                UnsafeApi.copyMemory(slice.address(), address + inBlock(slice), unitBytes);
            }
        }
        Outcome one = join.one();
        write(
                block.hostOffset(),
                address,
                1 << clusterBits,
                durably,
                error -> {
                    memory.close();
                    one.done(error);
                });
    }

    private void write(
            long hostOffset, long address, int lengthBytes, boolean durably, Outcome outcome) {
        if (durably) {
            io.writeDurably(MetadataKind.REFCOUNT_BLOCK, hostOffset, address, lengthBytes, outcome);
        } else {
            io.write(MetadataKind.REFCOUNT_BLOCK, hostOffset, address, lengthBytes, outcome);
        }
    }

    /** Writes the changed entries of the table, durably: the blocks they point to are durable. */
    void writeTableDurably(Outcome outcome) {
        int from = (tableDirtyFrom * 8) & -unitBytes;
        int to = (tableDirtyTo * 8 + 8 + unitBytes - 1) & -unitBytes;
        ByteBuffer bytes = encode(table, from / 8, (to - from) / 8);
        io.writeDurably(
                MetadataKind.REFCOUNT_TABLE,
                tableHostOffset + from,
                BufferUtil.address(bytes),
                to - from,
                error -> {
                    // The buffer lives as long as the write.
                    bytes.clear();
                    if (error.isOk()) {
                        tableDirtyFrom = Integer.MAX_VALUE;
                        tableDirtyTo = -1;
                    }
                    outcome.done(error);
                });
    }

    /** Table entries in the byte order of the disk. */
    static ByteBuffer encode(long[] entries, int from, int count) {
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(count * 8, ALIGNMENT);
        for (int i = 0; i < count; i++) {
            bytes.putLong(8 * i, from + i < entries.length ? entries[from + i] : 0);
        }
        return bytes;
    }

    /** Takes over a longer table that the header points to by now. */
    void switchTable(long[] newTable, long newTableHostOffset) {
        table = newTable;
        tableHostOffset = newTableHostOffset;
        tableDirtyFrom = Integer.MAX_VALUE;
        tableDirtyTo = -1;
    }
}
