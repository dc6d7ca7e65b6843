package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.file.ClosedImage;

/**
 * Counts the references of sound tables for one of several threads; anything unusual is {@link
 * FindingException}.
 *
 * <p>Threading: confined to its thread; the counts are shared.
 */
final class SharedReferences implements References {
    private final ClosedImage image;
    private final ReferenceCounts counts;
    private final long countMax;

    SharedReferences(ClosedImage image, ReferenceCounts counts, long countMax) {
        this.image = image;
        this.counts = counts;
        this.countMax = countMax;
    }

    @Override
    public boolean reference(
            long hostOffset, long lengthBytes, Use use, String what, long pointerOffset) {
        if (!image.reaches(hostOffset, lengthBytes)) {
            throw new FindingException();
        }
        long first = hostOffset >>> image.clusterBits;
        long last = (hostOffset + lengthBytes - 1) >>> image.clusterBits;
        counts.addShared(first, last - first + 1, countMax);
        return true;
    }

    @Override
    public void references(long hostOffset, int clusters, long pointerOffset) {
        long lengthBytes = (long) clusters << image.clusterBits;
        if (!image.reaches(hostOffset, lengthBytes)) {
            throw new FindingException();
        }
        counts.addShared(hostOffset >>> image.clusterBits, clusters, countMax);
    }

    @Override
    public void copied(long hostOffset, int clusters, boolean copied) {
        if (image.header.hasExternalDataFile()) {
            if (!copied) {
                throw new FindingException();
            }
        } else {
            counts.markShared(hostOffset >>> image.clusterBits, clusters, copied);
        }
    }

    @Override
    public void mendEntry(String text, long entryOffset, long corrected) {
        throw new FindingException();
    }
}
