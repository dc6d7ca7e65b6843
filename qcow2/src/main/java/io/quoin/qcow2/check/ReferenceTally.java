package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.check.Relocations.Level;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.L2Entry;
import org.jspecify.annotations.Nullable;

/**
 * Counts the references that are found in order, reports those that may not be, and hands on those
 * that have to go elsewhere.
 *
 * <p>Threading: confined to the check.
 */
final class ReferenceTally implements References {
    private final ClosedImage image;
    private final ReferenceCounts counts;
    private final CheckReport report;
    private final boolean repair;
    private final @Nullable Relocations relocations;
    private final long countMax;

    /**
     * @param repair whether defects of entries are repaired that change nothing for a reader
     * @param relocations hears of the references that have to go elsewhere; null: nothing does
     */
    ReferenceTally(
            ClosedImage image,
            ReferenceCounts counts,
            CheckReport report,
            boolean repair,
            @Nullable Relocations relocations) {
        this.image = image;
        this.counts = counts;
        this.report = report;
        this.repair = repair;
        this.relocations = relocations;
        long max = image.header.refcounts().countMax();
        this.countMax = max < 0 ? Long.MAX_VALUE : max;
    }

    /** How many references a refcount can say. */
    long countMax() {
        return countMax;
    }

    /** Counts a reference to metadata that nothing else may refer to; false: something does. */
    boolean exclusive(
            long hostOffset, long lengthBytes, String what, Level level, long pointerOffset) {
        return reference(hostOffset, lengthBytes, Use.EXCLUSIVE, what, level, pointerOffset);
    }

    /**
     * Counts a reference that cannot be changed. While something else has its clusters too, none is
     * changed: it would be a word of both.
     */
    void fixed(long hostOffset, long lengthBytes, String what) {
        if (!exclusive(hostOffset, lengthBytes, what, Level.HEADER, Relocations.FIXED)) {
            report.referencesHidden = true;
        }
    }

    /** Counts a reference of an L1 entry; false: the table is something else too. */
    boolean l2Table(long l2Offset, long entryOffset) {
        return reference(l2Offset, image.clusterSize, Use.L2, "L2 table", Level.L1, entryOffset);
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
            // Which cluster was meant is unknown: none may be taken for leaked.
            report.referencesHidden = true;
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

    @Override
    public void mendEntry(String text, long entryOffset, long corrected) {
        if (repair) {
            image.writeEntry(entryOffset, corrected);
            report.corruptionFixed(text);
        } else {
            report.corruption(text);
        }
    }
}
