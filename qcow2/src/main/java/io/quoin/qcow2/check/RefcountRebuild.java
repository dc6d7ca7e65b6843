package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import org.agrona.collections.LongArrayList;

/**
 * Makes a new refcount table with new blocks behind the end of the image from the references that
 * were counted, and switches the header to it by one write. The old table and blocks become free
 * space. A crash before the switch leaves the image as it was.
 *
 * <p>Threading: confined to the check.
 */
final class RefcountRebuild {
    private final ClosedImage image;
    private final ReferenceCounts counts;
    private final RefcountLayout layout;

    RefcountRebuild(ClosedImage image, ReferenceCounts counts) {
        this.image = image;
        this.counts = counts;
        this.layout = image.header.refcounts();
    }

    /**
     * @param oldClusters clusters of the old refcount structure, each with one reference counted
     */
    void rebuild(LongArrayList oldClusters) {
        // The cluster behind the file's last one may be referenced where that is cut short.
        rebuild(oldClusters, image.clusters() + 1);
    }

    /** As above, with the new structure from cluster {@code start} on, behind all that is used. */
    void rebuild(LongArrayList oldClusters, long start) {
        for (int i = 0; i < oldClusters.size(); i++) {
            counts.subtract(oldClusters.getLong(i));
        }
        long blocks = 0;
        long tableClusters = 1;
        long[] used;
        while (true) {
            long end = start + blocks + tableClusters;
            used = usedBlocks(start, end);
            long neededTable = image.geometry.clustersFor((layout.blockIndex(end - 1) + 1) * 8);
            if (used.length == blocks && neededTable == tableClusters) {
                break;
            }
            blocks = Math.max(blocks, used.length);
            tableClusters = Math.max(tableClusters, neededTable);
        }
        if (tableClusters << image.clusterBits > RefcountLayout.TABLE_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EOVERFLOW,
                    "qcow2 check: refcount table clusters="
                            + tableClusters
                            + ", expected=at most 8 MiB of them");
        }
        for (long cluster = start; cluster < start + blocks + tableClusters; cluster++) {
            counts.add(cluster, Use.EXCLUSIVE);
        }
        long tableOffset = writeAll(used, start, tableClusters);
        ByteBuffer fields = ByteBuffer.allocate(HeaderLayout.REFCOUNT_TABLE_FIELDS_BYTES);
        HeaderLayout.encodeRefcountTableFields(fields, tableOffset, (int) tableClusters);
        image.write(HeaderLayout.REFCOUNT_TABLE_FIELDS_OFFSET, fields.flip());
        image.flush();
    }

    private long writeAll(long[] used, long start, long tableClusters) {
        long tableOffset = (start + used.length) << image.clusterBits;
        ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(tableClusters << image.clusterBits));
        ByteBuffer block = ByteBuffer.allocate(image.clusterSize);
        for (int i = 0; i < used.length; i++) {
            fill(block, used[i]);
            long hostOffset = (start + i) << image.clusterBits;
            image.write(hostOffset, block.clear());
            table.putLong(Math.toIntExact(used[i] * RefcountLayout.TABLE_ENTRY_BYTES), hostOffset);
        }
        image.write(tableOffset, table);
        image.flush();
        return tableOffset;
    }

    private void fill(ByteBuffer block, long blockIndex) {
        long first = blockIndex * layout.blockEntries();
        for (int i = 0; i < image.clusterSize; i += Long.BYTES) {
            block.putLong(i, 0);
        }
        for (int i = 0; i < layout.blockEntries(); i++) {
            long count = counts.get(first + i);
            if (count > 0) {
                // More than fits was reported when it was counted; the highest count keeps the
                // cluster from reuse.
                long max = layout.countMax();
                layout.set(block, i, Long.compareUnsigned(count, max) > 0 ? max : count);
            }
        }
    }

    /**
     * Indexes of the blocks that have a count to hold, among them those for clusters from {@code
     * start} to {@code end}.
     */
    private long[] usedBlocks(long start, long end) {
        LongArrayList blocks = new LongArrayList();
        long cluster = counts.skipEmpty(0, start);
        while (cluster < start) {
            if (counts.get(cluster) > 0) {
                long block = layout.blockIndex(cluster);
                blocks.addLong(block);
                cluster = counts.skipEmpty((block + 1) * layout.blockEntries(), start);
            } else {
                cluster = counts.skipEmpty(cluster + 1, start);
            }
        }
        for (long block = layout.blockIndex(start); block <= layout.blockIndex(end - 1); block++) {
            if (blocks.isEmpty() || blocks.getLong(blocks.size() - 1) != block) {
                blocks.addLong(block);
            }
        }
        return blocks.toLongArray();
    }
}
