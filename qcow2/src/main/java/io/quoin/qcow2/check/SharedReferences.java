package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;

/**
 * Counts the references of sound tables for one of several threads; anything unusual is {@link
 * Irregular}.
 *
 * <p>Threading: confined to its thread; the counts are shared.
 */
final class SharedReferences implements References {
    private final CheckImage image;
    private final ReferenceCounts counts;
    private final long countMax;

    SharedReferences(CheckImage image, ReferenceCounts counts, long countMax) {
        this.image = image;
        this.counts = counts;
        this.countMax = countMax;
    }

    @Override
    public boolean reference(
            long hostOffset, long lengthBytes, Use use, String what, long pointerOffset) {
        if (!image.reaches(hostOffset, lengthBytes)) {
            throw new Irregular();
        }
        long last = (hostOffset + lengthBytes - 1) >>> image.clusterBits;
        for (long cluster = hostOffset >>> image.clusterBits; cluster <= last; cluster++) {
            counts.addShared(cluster, countMax);
        }
        return true;
    }

    @Override
    public void mendEntry(String text, long entryOffset, long corrected) {
        throw new Irregular();
    }
}
