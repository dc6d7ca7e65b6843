package io.quoin.qcow2.served;

/**
 * An open file that can be checked while it is used.
 *
 * <p>Threading: confined(loop).
 */
public interface CheckedFile {
    /** Its checks, for as long as it is open. */
    CheckControl checks();
}
