package io.quoin.qcow2.diff;

/**
 * An open file that can be compared with other states of the same image.
 *
 * <p>Threading: confined(loop).
 */
public interface DiffedFile {
    /** Its comparisons, for as long as it is open. */
    DiffControl diffs();
}
