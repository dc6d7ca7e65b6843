package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.file.ClosedImage;

/**
 * Whether what overlaps something else can be an L2 table. Every reference that does not reach into
 * the file, and everything to be repaired, is {@link FindingException}.
 *
 * <p>Threading: confined to the check.
 */
final class TableProbe implements References {
    private final ClosedImage image;

    private TableProbe(ClosedImage image) {
        this.image = image;
    }

    /** Whether no entry is wrong. */
    static boolean isTable(ClosedImage image, long l2Offset) {
        CheckReport strict = new CheckReport(FindingException.LISTENER);
        try {
            new L2Walk(image, new TableProbe(image), strict, false).walk(l2Offset, false);
            return true;
        } catch (FindingException e) {
            return false;
        }
    }

    @Override
    public boolean reference(
            long hostOffset, long lengthBytes, Use use, String what, long pointerOffset) {
        if (!image.reaches(hostOffset, lengthBytes)) {
            throw new FindingException();
        }
        return true;
    }

    @Override
    public void references(long hostOffset, int clusters, long pointerOffset) {
        if (!image.reaches(hostOffset, (long) clusters << image.clusterBits)) {
            throw new FindingException();
        }
    }

    @Override
    public void copied(long hostOffset, int clusters, boolean copied) {}

    @Override
    public void mendEntry(String text, long entryOffset, long corrected) {
        throw new FindingException();
    }
}
