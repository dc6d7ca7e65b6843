package io.quoin.qcow2.diff;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.nio.ByteBuffer;
import java.util.function.Predicate;

/**
 * Compares two states of one image.
 *
 * <p>While a snapshot is there its own counts keep its clusters from being written in place and
 * from being used again. So equal L1 entries lead to equal disks, and equal L2 entries to equal
 * bytes, whatever was written in between; COPIED does not count. What reads as zeros in both is
 * equal too, however it is mapped. Entries that differ are told as a difference, though the bytes
 * may be the same.
 *
 * <p>Where the image has a backing file, clusters that are unallocated in both are equal: the
 * backing file must not have changed, nor been replaced by one that reads otherwise.
 *
 * <p>Threading: confined to its caller.
 */
public final class StateDiff {
    private enum Content {
        ZERO,
        BACKING,
        STORED
    }

    private final ClosedImage image;
    private final Qcow2Geometry geometry;
    private final StateTables from;
    private final StateTables to;
    private final DiffJoiner joiner;
    private final Content unallocated;
    private final long endBytes;

    /** The cluster in which the older disk ends; behind the end of the newer where none does. */
    private final long straddled;

    private StateDiff(
            ClosedImage image,
            DiskState from,
            DiskState to,
            long endBytes,
            Predicate<DiffExtent> consumer) {
        this.image = image;
        this.geometry = image.geometry;
        this.from = new StateTables(image, from);
        this.to = new StateTables(image, to);
        this.joiner = new DiffJoiner(consumer, endBytes);
        this.endBytes = endBytes;
        this.unallocated = image.header.backingFile() == null ? Content.ZERO : Content.BACKING;
        this.straddled =
                from.sizeBytes() < to.sizeBytes() && geometry.offsetInCluster(from.sizeBytes()) != 0
                        ? geometry.alignDown(from.sizeBytes())
                        : Long.MAX_VALUE;
    }

    /**
     * Tells {@code consumer} what may differ in a range, in order, for as long as it wants more.
     * The first extent begins with the cluster, or subcluster, in which the range does; behind its
     * own end the older disk reads as zeros, and behind the end of the newer nothing is told.
     * Memory does not depend on the size.
     *
     * @param from the older state; {@link DiskState#empty} for all that is mapped
     * @param to the newer state
     * @param startBytes where the range begins
     * @param endBytes where it ends, beyond the end of the disk too: no extent goes further
     * @throws BlockException EIO for a table entry that leads nowhere
     */
    public static void diff(
            ClosedImage image,
            DiskState from,
            DiskState to,
            long startBytes,
            long endBytes,
            Predicate<DiffExtent> consumer) {
        long end = Math.min(endBytes, to.sizeBytes());
        new StateDiff(image, from, to, end, consumer).run(startBytes);
    }

    private void run(long startBytes) {
        int end = (int) geometry.l1EntriesFor(endBytes);
        int index = (int) Math.min(end, startBytes / geometry.l2CoverBytes());
        while (index < end && joiner.wantsMore()) {
            if (!isEqual(index)) {
                compare(index, startBytes);
            }
            index++;
        }
        joiner.end();
    }

    /** Whether what an L1 entry leads to is known to be equal. */
    private boolean isEqual(int index) {
        long table = to.tableOffset(index);
        if (from.tableOffset(index) != table) {
            return false;
        }
        boolean inBoth = (index + 1) * geometry.l2CoverBytes() <= from.sizeBytes();
        boolean bothZero = table == 0 && unallocated == Content.ZERO;
        return inBoth || bothZero || from.sizeBytes() == to.sizeBytes();
    }

    private void compare(int index, long startBytes) {
        ByteBuffer older = from.table(index);
        ByteBuffer newer = to.table(index);
        long tableStart = index * geometry.l2CoverBytes();
        long end = Math.min(tableStart + geometry.l2CoverBytes(), endBytes);
        long clusterStart = Math.max(tableStart, geometry.alignDown(startBytes));
        int at = geometry.l2Index(clusterStart) * geometry.l2EntryBytes();
        for (; clusterStart < end; at += geometry.l2EntryBytes()) {
            long was = older.getLong(at) & ~L2Entry.COPIED;
            long is = newer.getLong(at) & ~L2Entry.COPIED;
            boolean inBoth = clusterStart < from.sizeBytes() && clusterStart != straddled;
            if (geometry.extendedL2()) {
                long wasBits = older.getLong(at + L2Entry.SIZE_BYTES);
                long isBits = newer.getLong(at + L2Entry.SIZE_BYTES);
                if (was != is || wasBits != isBits || !inBoth) {
                    compareSubclusters(clusterStart, was, wasBits, is, isBits);
                }
            } else if (was != is || !inBoth) {
                Content content = content(is);
                check(is, clusterStart);
                if (differs(clusterStart, content(was), was, content, is)) {
                    joiner.add(clusterStart, image.clusterSize, content == Content.ZERO);
                }
            }
            clusterStart += image.clusterSize;
        }
    }

    private void compareSubclusters(
            long clusterStart, long was, long wasBits, long is, long isBits) {
        EntryFault fault = SubclusterBitmap.fault(is, isBits);
        if (!fault.isNone()) {
            throw refused(clusterStart, fault);
        }
        long length = 1L << geometry.subclusterBits();
        for (int i = 0; i < SubclusterBitmap.SUBCLUSTERS; i++) {
            Content content = content(is, isBits, i);
            if (differs(clusterStart, content(was, wasBits, i), was, content, is)) {
                joiner.add(clusterStart + i * length, length, content == Content.ZERO);
            }
        }
    }

    private boolean differs(long clusterStart, Content was, long wasEntry, Content is, long entry) {
        if (clusterStart == straddled) {
            // Whether the bytes behind the older end are zeros is not known.
            return was != Content.ZERO || is != Content.ZERO;
        }
        Content before = clusterStart < from.sizeBytes() ? was : Content.ZERO;
        return before != is || (is == Content.STORED && wasEntry != entry);
    }

    private Content content(long entry) {
        return switch (L2Entry.kind(entry)) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> Content.ZERO;
            case UNALLOCATED -> unallocated;
            case NORMAL, COMPRESSED -> Content.STORED;
        };
    }

    private Content content(long entry, long bitmap, int subcluster) {
        if (L2Entry.isCompressed(entry) || SubclusterBitmap.isAllocated(bitmap, subcluster)) {
            return Content.STORED;
        }
        return SubclusterBitmap.isZero(bitmap, subcluster) ? Content.ZERO : unallocated;
    }

    private void check(long entry, long guestOffset) {
        if (!L2Entry.isCompressed(entry)) {
            EntryFault fault =
                    L2Entry.fault(
                            entry, image.clusterBits, image.header.version(), image.fileSizeBytes);
            if (!fault.isNone()) {
                throw refused(guestOffset, fault);
            }
        }
    }

    private BlockException refused(long guestOffset, EntryFault fault) {
        return image.refusal(
                BlockError.EIO,
                "snapshot diff: L2 entry: guest offset=" + guestOffset + ", " + fault.text());
    }
}
