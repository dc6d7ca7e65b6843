package io.quoin.qcow2.check;

/**
 * Hears of a check while it runs.
 *
 * <p>Threading: called on the thread of the check.
 */
public interface CheckListener {
    /** Hears nothing. */
    CheckListener SILENT = new CheckListener() {};

    /** {@code done} of {@code total} pieces of work of unlike size are done. */
    default void progress(long done, long total) {}

    /** One line for a person: what was found, where, and whether it was repaired. */
    default void finding(String text) {}
}
