package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.TablesAhead;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;

/**
 * Holds the refcounts on disk against the references that were counted, and corrects them where
 * that is asked for and safe.
 *
 * <p>Threading: confined to the check.
 */
final class RefcountCompare {
    private final ClosedImage image;
    private final ReferenceCounts counts;
    private final CheckReport report;
    private final RepairMode mode;
    private final RefcountLayout layout;
    private final TablesAhead blocks;
    private ByteBuffer block = ByteBuffer.allocate(0);

    /** Counts that are looked at together where all are the same: whole words on either side. */
    private final int group;

    /** A word of counts of 1. */
    private final long ones;

    /**
     * Clusters whose refcount on disk is exactly 1 when the comparison, with its repairs, is over.
     */
    private final ClusterBits countIsOne = new ClusterBits();

    RefcountCompare(
            ClosedImage image, ReferenceCounts counts, CheckReport report, RepairMode mode) {
        this.image = image;
        this.counts = counts;
        this.report = report;
        this.mode = mode;
        this.layout = image.header.refcounts();
        this.blocks = new TablesAhead(image, this::blockOffset);
        this.group = Math.max(Long.BYTES, Long.SIZE / layout.widthBits());
        long word = 1;
        for (int width = layout.widthBits(); width < Long.SIZE; width *= 2) {
            word |= word << width;
        }
        this.ones = word;
    }

    ClusterBits countIsOne() {
        return countIsOne;
    }

    void compare() {
        // References just beyond the end, in a last cluster that is cut short, were counted too.
        long limit = image.clusters() + 1;
        long tableBytes = image.refcountTableBytes();
        ByteBuffer table = image.tableBuffer();
        int step = table.capacity();
        long firstCluster = 0;
        for (long at = 0; at < tableBytes && firstCluster < limit; at += step) {
            int length = (int) Math.min(step, tableBytes - at);
            image.read(image.header.refcountTableOffset() + at, table, length);
            for (int i = 0;
                    i < length && firstCluster < limit;
                    i += RefcountLayout.TABLE_ENTRY_BYTES) {
                long entry = table.getLong(i);
                long end = Math.min(limit, firstCluster + layout.blockEntries());
                long blockOffset = blockOffset(entry);
                if (blockOffset != 0) {
                    block = blocks.table(table, i);
                    compareBlock(blockOffset, firstCluster, end);
                } else {
                    uncounted(firstCluster, end);
                }
                firstCluster += layout.blockEntries();
            }
        }
        uncounted(firstCluster, limit);
    }

    /** Where the block of an entry is; 0: there is none that could be read. */
    private long blockOffset(long entry) {
        boolean isThere =
                entry != 0
                        && RefcountLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes)
                                == EntryFault.NONE;
        return isThere ? RefcountLayout.blockHostOffset(entry) : 0;
    }

    private void compareBlock(long blockOffset, long firstCluster, long endCluster) {
        boolean changed = false;
        long cluster = firstCluster - 1;
        while (++cluster < endCluster) {
            int index = (int) (cluster - firstCluster);
            if ((index & group - 1) == 0 && cluster + group <= endCluster) {
                if (isAll(index, cluster, 0, 0)) {
                    cluster += group - 1;
                    continue;
                }
                if (isAll(index, cluster, ones, CountPage.EIGHT_ONES)) {
                    countIsOne.setAll(cluster, group);
                    cluster += group - 1;
                    report.highestCluster = Math.max(report.highestCluster, cluster);
                    continue;
                }
            }
            long onDisk = layout.get(block, index);
            long counted = counts.get(cluster);
            if (onDisk == 0 && counted == 0) {
                continue;
            }
            report.highestCluster = Math.max(report.highestCluster, cluster);
            long settled = onDisk;
            if (onDisk != counted && differ(cluster, onDisk, counted)) {
                layout.set(block, index, counted);
                changed = true;
                settled = counted;
            }
            if (settled == 1) {
                countIsOne.set(cluster);
            }
        }
        if (changed) {
            image.write(blockOffset, block.clear());
            blocks.forget();
        }
    }

    /** Whether the counts of a group are all the same, on disk and as they were counted. */
    private boolean isAll(int index, long cluster, long wordOnDisk, long eightCounted) {
        int from = index * layout.widthBits() / Byte.SIZE;
        int to = from + group * layout.widthBits() / Byte.SIZE;
        for (int at = from; at < to; at += Long.BYTES) {
            if (block.getLong(at) != wordOnDisk) {
                return false;
            }
        }
        for (int i = 0; i < group; i += Long.BYTES) {
            if (counts.eightAt(cluster + i) != eightCounted) {
                return false;
            }
        }
        return true;
    }

    /** Reports a difference; true: the count on disk becomes what was counted. */
    private boolean differ(long cluster, long onDisk, long counted) {
        String text =
                "cluster "
                        + cluster
                        + " refcount="
                        + Long.toUnsignedString(onDisk)
                        + " reference="
                        + counted;
        boolean trusted = !report.referencesHidden && !report.rebuild && report.overlaps == 0;
        if (Long.compareUnsigned(onDisk, counted) > 0) {
            if (report.listener().isCountedAhead(cluster)) {
                return false;
            }
            report.listener().leaked(cluster, onDisk, counted);
            if (mode != RepairMode.NONE && trusted) {
                report.leakFixed(text);
                return true;
            }
            report.leak(text);
            return false;
        }
        boolean fits = Long.compareUnsigned(counted, layout.countMax()) <= 0;
        if (mode == RepairMode.ALL && fits && !report.rebuild) {
            report.corruptionFixed(text);
            return true;
        }
        report.countsTooLow = true;
        report.corruption(text);
        return false;
    }

    private void uncounted(long firstCluster, long endCluster) {
        long cluster = counts.skipEmpty(firstCluster, endCluster);
        while (cluster < endCluster) {
            int counted = counts.get(cluster);
            if (counted > 0) {
                report.corruption(
                        "cluster "
                                + cluster
                                + " refcount=0 reference="
                                + counted
                                + ", no refcount block");
                report.highestCluster = Math.max(report.highestCluster, cluster);
                report.rebuild = true;
            }
            cluster = counts.skipEmpty(cluster + 1, endCluster);
        }
    }
}
