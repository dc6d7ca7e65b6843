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

    /** A defect whose correction changes nothing that a reader sees. */
    void mendEntry(String text, long entryOffset, long corrected);
}
