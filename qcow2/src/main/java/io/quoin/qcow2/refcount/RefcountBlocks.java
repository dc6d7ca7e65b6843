package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.qcow2.cache.ImageIo;
import io.quoin.qcow2.cache.Join;
import io.quoin.qcow2.cache.MetadataKind;
import io.quoin.qcow2.cache.MetadataMap;
import io.quoin.qcow2.cache.Outcome;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * The refcount table and the refcount blocks that are in memory. Counts go up here before anything
 * points to the cluster and down after nothing does, so that blocks may be written at any time.
 *
 * <p>Threading: confined(loop), used by one refcount task at a time.
 */
final class RefcountBlocks {
    private static final long CACHE_BYTES = 4 << 20;
    private static final int BLOCKS_MIN = 8;
    private static final int UNIT_BYTES_PREFERRED = 4096;
    private static final int ALIGNMENT = 4096;

    /** So many writes that are durable by themselves cost less than a flush of everything. */
    private static final int DURABLE_BLOCKS_MAX = 4;

    private final ImageIo io;
    private final MetadataMap map;
    private final RefcountLayout layout;
    private final int clusterBits;
    private final int unitBytes;
    private final int blocksMax;
    private final Map<Long, RefcountBlock> resident = new HashMap<>();
    private final List<RefcountBlock> order = new ArrayList<>();
    private final List<RefcountBlock> spare = new ArrayList<>();
    private long[] table;
    private long tableHostOffset;
    private int tableDirtyFrom = Integer.MAX_VALUE;
    private int tableDirtyTo = -1;
    private int hand;
    private @Nullable LeakCandidates watching;

    RefcountBlocks(ImageIo io, MetadataMap map, Qcow2Header header, long[] table) {
        this.io = io;
        this.map = map;
        this.layout = header.refcounts();
        this.clusterBits = header.clusterBits();
        this.table = table;
        this.tableHostOffset = header.refcountTableOffset();
        this.unitBytes =
                Math.max(
                        io.file().geometry().blockSizeMin(),
                        Math.min(UNIT_BYTES_PREFERRED, 1 << clusterBits));
        this.blocksMax = (int) Math.max(BLOCKS_MIN, CACHE_BYTES >>> clusterBits);
    }

    /** A cluster whose count changes leaves {@code candidates}; null: no more. */
    void watch(@Nullable LeakCandidates candidates) {
        watching = candidates;
    }

    /** The last reference in memory to a cluster may be gone. */
    void unlinked(long clusterIndex) {
        LeakCandidates candidates = watching;
        if (candidates != null) {
            candidates.remove(clusterIndex);
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

    /** The block of {@code clusterIndex} if it is in memory. */
    @Nullable RefcountBlock find(long clusterIndex) {
        RefcountBlock block = resident.get(layout.blockIndex(clusterIndex));
        if (block != null) {
            block.referenced = true;
        }
        return block;
    }

    /** Reads the block of {@code clusterIndex} into memory. */
    void load(long clusterIndex, Outcome outcome) {
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
        RefcountBlock block = admit(blockIndex, hostOffset);
        io.read(
                hostOffset,
                block.address,
                1 << clusterBits,
                error -> {
                    if (!error.isOk()) {
                        remove(block);
                    }
                    outcome.done(error);
                });
    }

    /** A new block of zeros for {@code clusterIndex}, at host cluster {@code atCluster}. */
    RefcountBlock create(long clusterIndex, long atCluster) {
        RefcountBlock block = place(layout.blockIndex(clusterIndex), atCluster);
        int blockIndex = (int) block.blockIndex;
        table[blockIndex] = block.hostOffset;
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
        table[(int) block.blockIndex] = 0;
        forget(block);
    }

    /** As {@link #create} for a table that is not the image's yet. */
    RefcountBlock place(long blockIndex, long atCluster) {
        Invariant.check(
                blockIndex >= table.length || table[(int) blockIndex] == 0,
                "a refcount block would be replaced");
        RefcountBlock block = admit(blockIndex, atCluster << clusterBits);
        ByteBuffer bytes = block.bytes;
        for (int i = 0; i < bytes.capacity(); i += Long.BYTES) {
            bytes.putLong(i, 0);
        }
        block.markDirty(0, bytes.capacity());
        map.add(atCluster, MetadataKind.REFCOUNT_BLOCK);
        return block;
    }

    private RefcountBlock admit(long blockIndex, long hostOffset) {
        while (order.size() >= blocksMax && evict()) {
            // Also the ones beyond the limit, which came while all were changed.
        }
        RefcountBlock block =
                spare.isEmpty()
                        ? new RefcountBlock(1 << clusterBits)
                        : spare.remove(spare.size() - 1);
        block.blockIndex = blockIndex;
        block.hostOffset = hostOffset;
        block.referenced = true;
        block.markClean();
        resident.put(blockIndex, block);
        order.add(block);
        return block;
    }

    /** Whether there was one that could go. */
    private boolean evict() {
        for (int tries = 2 * order.size(); tries > 0; tries--) {
            hand = hand + 1 < order.size() ? hand + 1 : 0;
            RefcountBlock block = order.get(hand);
            if (!block.isDirty()) {
                if (!block.referenced) {
                    remove(block);
                    return true;
                }
                block.referenced = false;
            }
        }
        return false;
    }

    /** Forgets a block that {@link #place} made for a table that never became the image's. */
    void forget(RefcountBlock block) {
        map.remove(block.hostOffset >>> clusterBits);
        remove(block);
    }

    private void remove(RefcountBlock block) {
        resident.remove(block.blockIndex, block);
        order.remove(block);
        if (order.size() + spare.size() < blocksMax) {
            spare.add(block);
        }
    }

    /** The count of a cluster whose block is in memory. */
    long count(RefcountBlock block, long clusterIndex) {
        return layout.get(block.bytes, layout.indexInBlock(clusterIndex));
    }

    void setCount(RefcountBlock block, long clusterIndex, long count) {
        Invariant.check(
                layout.blockIndex(clusterIndex) == block.blockIndex, "count in the wrong block");
        int index = layout.indexInBlock(clusterIndex);
        layout.set(block.bytes, index, count);
        unlinked(clusterIndex);
        int at = (int) (((long) index * layout.widthBits()) >>> 3);
        block.markDirty(at, at + Math.max(1, layout.widthBits() >>> 3));
    }

    boolean isDirty() {
        return isTableDirty() || dirtyBlocks() > 0;
    }

    boolean isTableDirty() {
        return tableDirtyTo >= 0;
    }

    /** Writes every changed block; the caller changes none until the outcome. */
    void writeBlocks(Outcome outcome) {
        writeBlocks(false, outcome);
    }

    /**
     * As {@link #writeBlocks(Outcome)}, and makes them durable: few ones each by itself, so that
     * nothing waits for the guest's data to be flushed.
     */
    private void writeBlocksDurably(Outcome outcome) {
        if (dirtyBlocks() <= DURABLE_BLOCKS_MAX) {
            writeBlocks(true, outcome);
        } else {
            writeBlocks(false, ifOk(io::flush, outcome));
        }
    }

    private static Outcome ifOk(Consumer<Outcome> next, Outcome outcome) {
        return error -> {
            if (error.isOk()) {
                next.accept(outcome);
            } else {
                outcome.done(error);
            }
        };
    }

    /** Blocks, then the table entries of new ones, each durable before what follows. */
    void writeAllDurably(Outcome outcome) {
        writeBlocksDurably(isTableDirty() ? ifOk(this::writeTableDurably, outcome) : outcome);
    }

    /** Whether so many blocks are changed that they should be written, to be evicted later. */
    boolean isShortOfClean() {
        return dirtyBlocks() > blocksMax / 2;
    }

    private int dirtyBlocks() {
        int count = 0;
        for (RefcountBlock block : order) {
            count += block.isDirty() ? 1 : 0;
        }
        return count;
    }

    private void writeBlocks(boolean durably, Outcome outcome) {
        List<RefcountBlock> written = new ArrayList<>();
        Join join =
                new Join(
                        error -> {
                            if (!error.isOk()) {
                                for (RefcountBlock block : written) {
                                    block.markDirty(0, 1 << clusterBits);
                                }
                            }
                            outcome.done(error);
                        });
        for (RefcountBlock block : order) {
            if (block.isDirty()) {
                written.add(block);
            }
        }
        for (RefcountBlock block : written) {
            int from = block.dirtyFrom & -unitBytes;
            int to = (block.dirtyTo + unitBytes - 1) & -unitBytes;
            block.markClean();
            long hostOffset = block.hostOffset + from;
            long address = block.address + from;
            if (durably) {
                io.writeDurably(
                        MetadataKind.REFCOUNT_BLOCK, hostOffset, address, to - from, join.one());
            } else {
                io.write(MetadataKind.REFCOUNT_BLOCK, hostOffset, address, to - from, join.one());
            }
        }
        join.started();
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
