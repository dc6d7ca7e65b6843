package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;

/**
 * The first step of a repair: every cluster gets one owner, and the snapshot table the extra data
 * that it has to have, before any table is written to that may be something else at the same time.
 *
 * <p>Threading: confined to the check.
 */
final class OverlapRepair {
    /** Each look settles at least one level of tables, or a great many references. */
    private static final int LOOKS_MAX = 64;

    /** Copies may double the file, or make it longer by that much. */
    private static final long SPARE_BYTES = 64 << 20;

    private final ReferenceCounts counts;
    private final long memoryBytesMax;
    private final CheckReport told;

    /** Where copies end: one bound for all looks, of which each finds a longer file. */
    private final long endCluster;

    private ClosedImage image;
    private boolean complete;
    private boolean outOfRoom;

    /**
     * @param counts memory for the counts of each look
     * @param memoryBytesMax for the references that are found
     */
    OverlapRepair(
            ClosedImage image,
            ReferenceCounts counts,
            long memoryBytesMax,
            CheckListener listener) {
        this.image = image;
        this.counts = counts;
        this.memoryBytesMax = memoryBytesMax;
        this.told = new CheckReport(listener);
        this.endCluster = 2 * image.clusters() + 1 + (SPARE_BYTES >>> image.clusterBits);
    }

    /** The image as it is now. */
    ClosedImage image() {
        return image;
    }

    /** Defects that are gone. */
    long repaired() {
        return told.corruptionsFixed;
    }

    /** Whether no cluster is in use as two things. */
    boolean isComplete() {
        return complete;
    }

    OverlapRepair run() {
        for (int look = 0; look < LOOKS_MAX && step(); look++) {
            image = ClosedImage.openForRepair(image.file);
        }
        if (outOfRoom) {
            // Also where a great many findings were told before.
            told.listener()
                    .finding(
                            "no more copies are made: they would take the image beyond clusters="
                                    + endCluster);
        }
        return this;
    }

    /** Whether the image has changed, so that it has to be read anew. */
    private boolean step() {
        CheckReport report = new CheckReport(CheckListener.SILENT);
        counts.clear();
        Relocations relocations = new Relocations(image, endCluster, memoryBytesMax);
        ReferenceWalk walk = new ReferenceWalk(image, counts, report, relocations);
        walk.walk();
        complete = report.overlaps == 0;
        boolean needed = !relocations.isEmpty() || report.refcountOverlaps > 0;
        if (!needed || report.referencesHidden) {
            return false;
        }
        boolean rebuild = report.refcountOverlaps > 0;
        boolean changed = relocations.carryOut(rebuild, counts, walk.refcountClusters(), told);
        outOfRoom = relocations.isOutOfRoom();
        if (rebuild) {
            told.corruptionFixed("the refcount structure overlaps something else: it is made anew");
        }
        return changed;
    }
}
