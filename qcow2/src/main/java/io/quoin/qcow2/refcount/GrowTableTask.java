package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.Join;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.BufferUtil;

/**
 * Moves the refcount table to a larger place, with the blocks that count that place itself. It lies
 * behind all that the old table could count, so that no block of the old one is concerned.
 *
 * <pre>
 *  WRITE   new table and new blocks, all behind the end: flush
 *  SWITCH  refcount_table_offset and refcount_table_clusters in one write of the header's sector: flush
 *  then the old table's clusters lose their reference
 * </pre>
 *
 * A crash before SWITCH leaves the image as it was with a longer file.
 *
 * <p>Threading: confined(loop).
 */
final class GrowTableTask extends RefcountTask {
    private enum State {
        WRITE,
        FLUSH,
        SWITCH,
        DONE
    }

    private final ClusterReserve reserve;
    private final HeaderStore header;
    private final int tooShort;
    private final int room;
    private final ClusterRuns old = new ClusterRuns();
    private final List<RefcountBlock> placed = new ArrayList<>();
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private long[] newTable = {};
    private long tableCluster;
    private int tableClusters;
    private boolean mapped;
    private State state = State.WRITE;

    /**
     * @param room clusters that are wanted in one piece behind the new table
     */
    GrowTableTask(RefcountBlocks blocks, ClusterReserve reserve, HeaderStore header, int room) {
        super(blocks);
        this.reserve = reserve;
        this.header = header;
        this.room = room;
        this.tooShort = blocks.tableSize();
    }

    /** The clusters of the table that is no more. */
    ClusterRuns old() {
        return old;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            for (RefcountBlock block : placed) {
                blocks.forget(block);
            }
            for (int i = 0; mapped && i < tableClusters; i++) {
                blocks.map().remove(tableCluster + i);
            }
            if (mapped) {
                reserve.writtenUpTo(placeEnd());
            }
            return false;
        }
        switch (state) {
            case WRITE -> {
                if (blocks.tableSize() > tooShort) {
                    // A task that came first has done it.
                    return false;
                }
                if (!plan()) {
                    fail(BlockError.ENOSPC);
                    return true;
                }
                state = State.FLUSH;
                write();
            }
            case FLUSH -> {
                state = State.SWITCH;
                await();
                blocks.io().flush(this::answer);
            }
            case SWITCH -> {
                state = State.DONE;
                await();
                header.switchRefcountTable(
                        tableCluster << blocks.clusterBits(), tableClusters, this::answer);
            }
            case DONE -> {
                take();
                return false;
            }
        }
        return true;
    }

    /** Finds the sizes: blocks are needed for the table, for what follows and for themselves. */
    private boolean plan() {
        RefcountLayout layout = blocks.layout();
        tableCluster = Math.max(reserve.end(), (long) blocks.tableSize() * layout.blockEntries());
        long firstBlock = layout.blockIndex(tableCluster);
        int perCluster = layout.tableEntriesPerCluster();
        long entries = blocks.tableSize() + blocks.tableSize() / 2L;
        long blockCount = 0;
        long blocksNeeded = 1;
        while (blockCount < blocksNeeded || (long) tableClusters * perCluster < entries) {
            blockCount = blocksNeeded;
            tableClusters = (int) ((entries + perCluster - 1) / perCluster);
            if ((long) tableClusters << blocks.clusterBits() > RefcountLayout.TABLE_BYTES_MAX) {
                return false;
            }
            long behind = tableCluster + tableClusters + blockCount;
            blocksNeeded = layout.blockIndex(behind) - firstBlock + 1;
            entries = Math.max(entries, layout.blockIndex(behind + withBlocks(room)) + 1);
        }
        if (!blocks.isReachable(tableCluster + tableClusters + blockCount - 1)) {
            return false;
        }
        newTable = blocks.longerTable(tableClusters * perCluster);
        long blockCluster = tableCluster + tableClusters;
        for (long i = 0; i < blockCount; i++) {
            placed.add(blocks.place(firstBlock + i, blockCluster + i));
            newTable[(int) (firstBlock + i)] = (blockCluster + i) << blocks.clusterBits();
        }
        for (long c = tableCluster; c < blockCluster + blockCount; c++) {
            Slice slice = blocks.zeros(c);
            if (slice == null) {
                return false;
            }
            blocks.setCount(slice, c, 1);
        }
        return true;
    }

    /** Clusters and the blocks that count them. */
    private long withBlocks(long clusters) {
        return clusters + clusters / (blocks.layout().blockEntries() - 1) + 2;
    }

    private long placeEnd() {
        return tableCluster + tableClusters + placed.size();
    }

    private void write() {
        bytes = RefcountBlocks.encode(newTable, 0, newTable.length);
        blocks.map().addAll(tableCluster, tableClusters, MetadataKind.REFCOUNT_TABLE);
        mapped = true;
        await();
        Join join = new Join(this::answer);
        blocks.io()
                .write(
                        MetadataKind.REFCOUNT_TABLE,
                        tableCluster << blocks.clusterBits(),
                        BufferUtil.address(bytes),
                        bytes.capacity(),
                        join.one());
        blocks.writeBlocks(join.one());
        join.started();
    }

    private void take() {
        bytes = ByteBuffer.allocate(0);
        int oldClusters =
                Math.max(
                        1,
                        (int)
                                (blocks.tableSize()
                                        / (long) blocks.layout().tableEntriesPerCluster()));
        old.add(blocks.tableHostOffset() >>> blocks.clusterBits(), oldClusters);
        blocks.switchTable(newTable, tableCluster << blocks.clusterBits());
        reserve.passEnd(placeEnd());
    }
}
