package io.quoin.qcow2.check;

import io.quoin.qcow2.check.Relocations.Level;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.List;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Visits everything that an image's header leads to and counts the references to each host cluster.
 *
 * <p>Threading: confined to the check.
 */
final class ReferenceWalk {
    private final ClosedImage image;
    private final CheckReport report;
    private final ReferenceTally tally;
    private final SnapshotReading snapshotReading;
    private final BitmapWalk bitmapWalk;
    private final L1Walk l1Walk;
    private final @Nullable SideBySide sideBySide;
    private final RefcountWalk refcountWalk;

    /**
     * @param workers that walk the L2 tables; whatever is found must end in {@link
     *     FindingException} then. Null: all of it in order
     */
    ReferenceWalk(
            ClosedImage image,
            ReferenceCounts counts,
            CheckReport report,
            boolean repair,
            @Nullable TableWorkers workers) {
        this(image, counts, report, repair, null, workers);
    }

    /** In order, to collect the references that have to go elsewhere. */
    ReferenceWalk(
            ClosedImage image,
            ReferenceCounts counts,
            CheckReport report,
            Relocations relocations) {
        this(image, counts, report, false, relocations, null);
    }

    private ReferenceWalk(
            ClosedImage image,
            ReferenceCounts counts,
            CheckReport report,
            boolean repair,
            @Nullable Relocations relocations,
            @Nullable TableWorkers workers) {
        this.image = image;
        this.report = report;
        this.tally = new ReferenceTally(image, counts, report, repair, relocations);
        this.snapshotReading = new SnapshotReading(image, report, relocations);
        this.bitmapWalk = new BitmapWalk(image, tally, report);
        this.sideBySide =
                workers == null
                        ? null
                        : new SideBySide(image, counts, tally.countMax(), report, workers);
        L2Walk l2Walk = new L2Walk(image, tally, report, repair);
        this.l1Walk = new L1Walk(image, tally, report, l2Walk, sideBySide);
        this.refcountWalk = new RefcountWalk(image, tally, report);
    }

    /**
     * Counts everything: first what the header leads to, so that it is the tables' entries that are
     * in the wrong where both claim a cluster; last the refcount structure, which can be made anew.
     */
    void walk() {
        tally.fixed(0, image.clusterSize, "header");
        referenceCryptoHeader();
        SnapshotTable table = snapshotReading.read();
        tally.exclusive(
                image.header.snapshotsOffset(),
                table.sizeBytes(),
                "snapshot table",
                Level.HEADER,
                HeaderLayout.SNAPSHOTS_OFFSET_OFFSET);
        bitmapWalk.read();
        bitmapWalk.referenceDirectory();
        referenceL1Tables(table.entries());
        bitmapWalk.referenceTables();
        l1Walk.walk(image.header.l1TableOffset(), image.header.l1Size(), true);
        for (SnapshotEntry snapshot : table.entries()) {
            l1Walk.walk(snapshot.l1TableOffset(), snapshot.l1Size(), false);
        }
        if (sideBySide != null) {
            sideBySide.end();
        }
        bitmapWalk.walk();
        refcountWalk.walk();
    }

    private void referenceCryptoHeader() {
        long[] crypto = image.header.cryptoHeader();
        if (crypto != null) {
            tally.fixed(crypto[0], crypto[1], "crypto header");
        } else if (image.header.cryptMethod() == Qcow2Header.CRYPT_LUKS) {
            // It is somewhere, with the keys of all data: it may not be taken for leaked.
            report.checkError("the header says LUKS, but not where the crypto header is");
            report.referencesHidden = true;
        }
    }

    private void referenceL1Tables(List<SnapshotEntry> snapshots) {
        long total = image.header.l1Size();
        tally.exclusive(
                image.header.l1TableOffset(),
                total * L1Entry.SIZE_BYTES,
                "active L1 table",
                Level.HEADER,
                HeaderLayout.L1_TABLE_OFFSET_OFFSET);
        for (SnapshotEntry snapshot : snapshots) {
            total += snapshot.l1Size();
            tally.exclusive(
                    snapshot.l1TableOffset(),
                    (long) snapshot.l1Size() * L1Entry.SIZE_BYTES,
                    "L1 table of snapshot " + snapshot.id(),
                    Level.DIRECTORY,
                    image.header.snapshotsOffset() + snapshot.tableOffset());
        }
        l1Walk.expect(total);
    }

    /** Clusters of the refcount table and blocks, each with one reference counted. */
    LongArrayList refcountClusters() {
        return refcountWalk.clusters();
    }
}
