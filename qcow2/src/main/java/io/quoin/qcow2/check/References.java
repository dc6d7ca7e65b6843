package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;

/**
 * Where the walk of an L2 table leaves what it sees.
 *
 * <p>Threading: as its implementation says.
 */
interface References {
    /**
     * Counts a reference to each cluster of the range; false: it is no valid reference.
     *
     * @param pointerOffset host offset of the word that refers to the range
     */
    boolean reference(long hostOffset, long lengthBytes, Use use, String what, long pointerOffset);

    /**
     * Counts references to data clusters one behind the other, by entries one behind the other.
     *
     * @param pointerOffset host offset of the first of these entries
     */
    void references(long hostOffset, int clusters, long pointerOffset);

    /** Entries of an active table refer to {@code clusters} with COPIED, or without it. */
    void copied(long hostOffset, int clusters, boolean copied);

    /** A defect whose correction changes nothing that a reader sees. */
    void mendEntry(String text, long entryOffset, long corrected);
}
