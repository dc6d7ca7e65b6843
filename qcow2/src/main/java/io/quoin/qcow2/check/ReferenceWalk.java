package io.quoin.qcow2.check;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.check.Relocations.Level;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Visits everything that an image's header leads to and counts the references to each host cluster.
 *
 * <p>Threading: confined to the check.
 */
final class ReferenceWalk implements References {
    private final CheckImage image;
    private final ReferenceCounts counts;
    private final CheckReport report;
    private final boolean repair;
    private final @Nullable Relocations relocations;
    private final L2Walk l2Walk;
    private final @Nullable SideBySide sideBySide;

    /** Clusters of the refcount table and blocks, each with one reference counted. */
    private final LongArrayList refcountClusters = new LongArrayList();

    private final ByteBuffer l1Buffer;
    private final long countMax;
    private long done;
    private long total;

    /**
     * @param workers who walk the L2 tables; whatever is found must end in {@link Irregular} then.
     *     Null: all of it in order
     */
    ReferenceWalk(
            CheckImage image,
            ReferenceCounts counts,
            CheckReport report,
            boolean repair,
            @Nullable TableWorkers workers) {
        this(image, counts, report, repair, null, workers);
    }

    /** In order, to collect the references that have to go elsewhere. */
    ReferenceWalk(
            CheckImage image, ReferenceCounts counts, CheckReport report, Relocations relocations) {
        this(image, counts, report, false, relocations, null);
    }

    private ReferenceWalk(
            CheckImage image,
            ReferenceCounts counts,
            CheckReport report,
            boolean repair,
            @Nullable Relocations relocations,
            @Nullable TableWorkers workers) {
        this.image = image;
        this.counts = counts;
        this.report = report;
        this.repair = repair;
        this.relocations = relocations;
        this.l2Walk = new L2Walk(image, this, report, repair);
        this.l1Buffer = image.tableBuffer();
        long max = image.header.refcounts().countMax();
        this.countMax = max < 0 ? Long.MAX_VALUE : max;
        this.sideBySide = workers == null ? null : new SideBySide(workers);
    }

    /**
     * Counts everything: first what the header leads to, so that it is the tables' entries that are
     * in the wrong where both claim a cluster; last the refcount structure, which can be made anew.
     */
    void walk() {
        reference(0, image.clusterSize, "header", Level.HEADER, Relocations.FIXED);
        long[] crypto = image.header.cryptoHeader();
        if (crypto != null) {
            reference(crypto[0], crypto[1], "crypto header", Level.HEADER, Relocations.FIXED);
        }
        SnapshotTable table = readSnapshots();
        List<SnapshotEntry> snapshots = table.entries();
        reference(
                image.header.snapshotsOffset(),
                table.sizeBytes(),
                "snapshot table",
                Level.HEADER,
                HeaderLayout.SNAPSHOTS_OFFSET_OFFSET);
        List<BitmapEntry> bitmaps = readBitmaps();
        referenceTables(snapshots, bitmaps);
        walkL1(image.header.l1TableOffset(), image.header.l1Size(), true);
        for (SnapshotEntry snapshot : snapshots) {
            walkL1(snapshot.l1TableOffset(), snapshot.l1Size(), false);
        }
        if (sideBySide != null) {
            sideBySide.end();
        }
        walkBitmaps(bitmaps);
        walkRefcounts();
    }

    private void referenceTables(List<SnapshotEntry> snapshots, List<BitmapEntry> bitmaps) {
        BitmapsExtension extension = image.header.bitmaps();
        if (extension != null) {
            reference(
                    extension.directoryOffset(),
                    extension.directorySizeBytes(),
                    "bitmap directory",
                    Level.HEADER,
                    Relocations.FIXED);
        }
        total = image.header.l1Size();
        reference(
                image.header.l1TableOffset(),
                total * L1Entry.SIZE_BYTES,
                "active L1 table",
                Level.HEADER,
                HeaderLayout.L1_TABLE_OFFSET_OFFSET);
        for (SnapshotEntry snapshot : snapshots) {
            total += snapshot.l1Size();
            reference(
                    snapshot.l1TableOffset(),
                    (long) snapshot.l1Size() * L1Entry.SIZE_BYTES,
                    "L1 table of snapshot " + snapshot.id(),
                    Level.DIRECTORY,
                    image.header.snapshotsOffset() + snapshot.tableOffset());
        }
        for (int i = 0; extension != null && i < bitmaps.size(); i++) {
            BitmapEntry bitmap = bitmaps.get(i);
            reference(
                    bitmap.tableOffset(),
                    (long) bitmap.tableEntries() * BitmapDirectoryLayout.TABLE_ENTRY_BYTES,
                    "table of bitmap " + bitmap.name(),
                    Level.DIRECTORY,
                    extension.directoryOffset()
                            + BitmapDirectoryLayout.sizeBytes(bitmaps.subList(0, i)));
        }
    }

    /** As it is, or as it will be when what it has to have is added. */
    private SnapshotTable readSnapshots() {
        boolean[] faulty = new boolean[1];
        SnapshotTable table = image.snapshots(snapshotFaults(faulty));
        if (relocations != null && faulty[0]) {
            SnapshotTableLayout.Mended mended = image.mendedSnapshots();
            if (mended != null) {
                report.referencesHidden = false;
                relocations.rewriteSnapshots(mended.table());
                return image.snapshots(mended, snapshotFaults(faulty));
            }
        }
        return table;
    }

    private SnapshotTableLayout.Faults snapshotFaults(boolean[] faulty) {
        return new SnapshotTableLayout.Faults() {
            @Override
            public void mild(String fault) {
                faulty[0] = true;
                report.corruption(fault);
            }

            /** Its clusters are not known: none may be taken for leaked. */
            @Override
            public void severe(BlockException fault) {
                report.corruption(String.valueOf(fault.getMessage()));
                report.referencesHidden = true;
            }

            @Override
            public void end(BlockException fault) {
                faulty[0] = true;
                report.checkError(String.valueOf(fault.getMessage()));
                report.referencesHidden = true;
            }
        };
    }

    /** Whoever opens the image for writing cannot go on with them either. */
    private List<BitmapEntry> readBitmaps() {
        try {
            return image.bitmaps();
        } catch (BlockException e) {
            report.checkError(String.valueOf(e.getMessage()));
            report.referencesHidden = true;
            return List.of();
        }
    }

    LongArrayList refcountClusters() {
        return refcountClusters;
    }

    @Override
    public boolean reference(
            long hostOffset, long lengthBytes, Use use, String what, long pointerOffset) {
        return reference(hostOffset, lengthBytes, use, what, Level.ENTRY, pointerOffset);
    }

    @Override
    public void references(long hostOffset, int clusters, long pointerOffset) {
        for (long i = 0; i < clusters; i++) {
            reference(
                    hostOffset + (i << image.clusterBits),
                    image.clusterSize,
                    Use.DATA,
                    "data cluster",
                    pointerOffset + i * L2Entry.SIZE_BYTES);
        }
    }

    /** In order, the flags are looked at when all counts are known. */
    @Override
    public void copied(long hostOffset, int clusters, boolean copied) {}

    private boolean reference(
            long hostOffset, long lengthBytes, String what, Level level, long pointerOffset) {
        return reference(hostOffset, lengthBytes, Use.EXCLUSIVE, what, level, pointerOffset);
    }

    private boolean reference(
            long hostOffset,
            long lengthBytes,
            Use use,
            String what,
            Level level,
            long pointerOffset) {
        if (lengthBytes == 0) {
            return true;
        }
        if (!image.reaches(hostOffset, lengthBytes)) {
            report.corruption(
                    what + " at host offset " + hostOffset + " lies beyond the end of the file");
            return false;
        }
        boolean valid = true;
        boolean countable = true;
        long last = (hostOffset + lengthBytes - 1) >>> image.clusterBits;
        for (long cluster = hostOffset >>> image.clusterBits; cluster <= last; cluster++) {
            if (!counts.add(cluster, use)) {
                report.corruption(
                        what + " overlaps other data or metadata in host cluster " + cluster);
                valid = false;
            }
            countable &= isCountable(cluster);
        }
        if (!valid) {
            report.overlaps++;
        }
        if (relocations != null && !(valid && countable)) {
            relocations.add(level, pointerOffset, hostOffset, lengthBytes);
        }
        return valid;
    }

    /** Whether a refcount can say how many references there are by now. */
    private boolean isCountable(long cluster) {
        int count = counts.get(cluster);
        if (count == countMax + 1) {
            report.corruption(
                    "host cluster "
                            + cluster
                            + " has more references than a refcount of "
                            + image.header.refcountBits()
                            + " bits holds");
        }
        return count <= countMax;
    }

    private void walkL1(long tableOffset, int entries, boolean active) {
        ByteBuffer buffer = l1Buffer;
        int chunk = buffer.capacity() / L1Entry.SIZE_BYTES;
        for (int first = 0; first < entries; first += chunk) {
            int count = Math.min(chunk, entries - first);
            long chunkOffset = tableOffset + (long) first * L1Entry.SIZE_BYTES;
            image.read(chunkOffset, buffer, count * L1Entry.SIZE_BYTES);
            for (int i = 0; i < count; i++) {
                long entry = buffer.getLong(i * L1Entry.SIZE_BYTES);
                if (entry != 0) {
                    followL1(entry, chunkOffset + (long) i * L1Entry.SIZE_BYTES, active);
                    report.listener().progress(done + i, total);
                }
            }
            if (sideBySide != null) {
                sideBySide.walkBatch();
            }
            done += count;
            report.listener().progress(done, total);
        }
    }

    private void followL1(long entry, long entryOffset, boolean active) {
        String what = "L1 entry at host offset " + entryOffset;
        long l2Offset = L1Entry.hostOffset(entry);
        long meant = entry & ~L1Entry.RESERVED_MASK;
        if (meant != entry) {
            mendEntry(what + ": " + EntryFault.RESERVED_BITS.text(), entryOffset, meant);
        }
        EntryFault fault = L1Entry.fault(meant, image.clusterBits, image.fileSizeBytes);
        if (fault == EntryFault.COPIED_WITHOUT_OFFSET) {
            mendEntry(what + ": " + fault.text(), entryOffset, 0);
        } else if (!fault.isNone()) {
            report.corruption(what + ": " + fault.text() + ", l2_offset=" + l2Offset);
            report.referencesHidden = true;
        } else if (l2Offset != 0) {
            boolean own =
                    reference(
                            l2Offset, image.clusterSize, Use.L2, "L2 table", Level.L1, entryOffset);
            if (!own && !isTable(l2Offset)) {
                // Its contents would be taken for references.
                report.referencesHidden = true;
            } else if (sideBySide != null) {
                sideBySide.add(l2Offset, active, L1Entry.isCopied(meant));
            } else {
                l2Walk.walk(l2Offset, 1, active);
            }
        }
    }

    /** Whether what overlaps something else can be an L2 table: no entry is wrong. */
    private boolean isTable(long l2Offset) {
        References strict =
                new References() {
                    @Override
                    public boolean reference(
                            long hostOffset,
                            long lengthBytes,
                            Use use,
                            String what,
                            long pointerOffset) {
                        if (!image.reaches(hostOffset, lengthBytes)) {
                            throw new Irregular();
                        }
                        return true;
                    }

                    @Override
                    public void references(long hostOffset, int clusters, long pointerOffset) {
                        if (!image.reaches(hostOffset, (long) clusters << image.clusterBits)) {
                            throw new Irregular();
                        }
                    }

                    @Override
                    public void copied(long hostOffset, int clusters, boolean copied) {}

                    @Override
                    public void mendEntry(String text, long entryOffset, long corrected) {
                        throw new Irregular();
                    }
                };
        try {
            new L2Walk(image, strict, new CheckReport(Irregular.LISTENER), false)
                    .walk(l2Offset, 1, false);
            return true;
        } catch (Irregular e) {
            return false;
        }
    }

    @Override
    public void mendEntry(String text, long entryOffset, long corrected) {
        if (repair) {
            image.writeEntry(entryOffset, corrected);
            report.corruptionFixed(text);
        } else {
            report.corruption(text);
        }
    }

    private void walkBitmaps(List<BitmapEntry> bitmaps) {
        ByteBuffer buffer = image.tableBuffer();
        int chunk = buffer.capacity() / BitmapDirectoryLayout.TABLE_ENTRY_BYTES;
        for (BitmapEntry bitmap : bitmaps) {
            String what = "table of bitmap " + bitmap.name();
            for (int first = 0; first < bitmap.tableEntries(); first += chunk) {
                int count = Math.min(chunk, bitmap.tableEntries() - first);
                long chunkOffset = bitmap.tableOffset() + 8L * first;
                image.read(chunkOffset, buffer, count * 8);
                for (int i = 0; i < count; i++) {
                    followBitmap(what, buffer.getLong(i * 8), chunkOffset + 8L * i);
                }
            }
        }
    }

    private void followBitmap(String what, long entry, long entryOffset) {
        EntryFault fault =
                BitmapDirectoryLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes);
        if (!fault.isNone()) {
            String text = "entry in the " + what + ": " + fault.text();
            if (fault == EntryFault.BEYOND_EOF) {
                report.corruption(text);
            } else {
                // Nobody can load the bitmaps.
                report.checkError(text);
            }
            report.referencesHidden = true;
        } else if (BitmapDirectoryLayout.dataHostOffset(entry) != 0) {
            reference(
                    BitmapDirectoryLayout.dataHostOffset(entry),
                    image.clusterSize,
                    "bitmap data",
                    Level.ENTRY,
                    entryOffset);
        }
    }

    private void walkRefcounts() {
        long tableOffset = image.header.refcountTableOffset();
        long tableBytes = image.refcountTableBytes();
        String placeFault = image.header.refcountTableFault();
        if (placeFault != null) {
            report.corruption(placeFault);
            report.rebuild = true;
            return;
        }
        referenceRefcounts(tableOffset, tableBytes, "refcount table");
        ByteBuffer buffer = image.tableBuffer();
        int step = buffer.capacity();
        for (long at = 0; at < tableBytes; at += step) {
            int length = (int) Math.min(step, tableBytes - at);
            image.read(tableOffset + at, buffer, length);
            for (int i = 0; i < length; i += RefcountLayout.TABLE_ENTRY_BYTES) {
                long entry = buffer.getLong(i);
                long firstCluster =
                        (at + i)
                                / RefcountLayout.TABLE_ENTRY_BYTES
                                * image.header.refcounts().blockEntries();
                EntryFault fault =
                        RefcountLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes);
                if (!fault.isNone()) {
                    report.corruption(
                            "refcount table entry "
                                    + (at + i) / RefcountLayout.TABLE_ENTRY_BYTES
                                    + ": "
                                    + fault.text());
                    report.rebuild = true;
                    boolean isNeeded = firstCluster < image.clusters();
                    if (isNeeded && (fault == EntryFault.UNALIGNED || entry < 0)) {
                        report.checkErrors++;
                    }
                } else if (entry != 0) {
                    referenceRefcounts(
                            RefcountLayout.blockHostOffset(entry),
                            image.clusterSize,
                            "refcount block");
                }
            }
        }
    }

    private void referenceRefcounts(long hostOffset, long lengthBytes, String what) {
        if (hostOffset > image.fileSizeBytes - lengthBytes) {
            report.corruption(
                    what + " at host offset " + hostOffset + " lies beyond the end of the file");
            report.rebuild = true;
            return;
        }
        if (!reference(hostOffset, lengthBytes, what, Level.HEADER, Relocations.FIXED)) {
            report.rebuild = true;
            report.refcountOverlaps++;
        }
        long first = hostOffset >>> image.clusterBits;
        for (long i = 0; i < lengthBytes >>> image.clusterBits; i++) {
            refcountClusters.addLong(first + i);
        }
    }

    /** Walks the tables of an L1 in batches by all workers; progress is told in between. */
    private final class SideBySide {
        private static final int BATCH_MIN = 256;
        private static final int BATCH_BYTES = 64 << 20;

        private final TableWorkers workers;
        private final LongArrayList batch = new LongArrayList();
        private final List<CheckReport> reports = new ArrayList<>();
        private final List<TableWorkers.Visitor> visitors = new ArrayList<>();
        private final int batchMax;
        private boolean batchIsActive;

        SideBySide(TableWorkers workers) {
            this.workers = workers;
            this.batchMax = Math.max(BATCH_MIN, BATCH_BYTES >>> image.clusterBits);
            for (int i = 0; i < workers.threads(); i++) {
                CheckReport own = new CheckReport(report.listener());
                References shared = new SharedReferences(image, counts, countMax);
                L2Walk walk = L2Walk.ofMany(image, shared, own);
                reports.add(own);
                visitors.add((l2Offset, tables) -> walk.walk(l2Offset, tables, batchIsActive));
            }
        }

        void add(long l2Offset, boolean active, boolean copied) {
            batchIsActive = active;
            if (active) {
                counts.markShared(l2Offset >>> image.clusterBits, 1, copied);
            }
            batch.addLong(l2Offset);
            if (batch.size() == batchMax) {
                walkBatch();
            }
        }

        void walkBatch() {
            workers.visit(batch, image.clusterSize, L2Walk.tablesAtOnce(image), visitors);
            batch.clear();
        }

        /** All batches are walked. */
        void end() {
            reports.forEach(report::addClusters);
        }
    }
}
