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

    /**
     * Whether the count of a cluster may be above its references on disk, because the program that
     * has the image open needs it so: then it is no leak.
     */
    default boolean isCountedAhead(long cluster) {
        return false;
    }

    /** A leak was found: {@code count} is above {@code references}. */
    default void leaked(long cluster, long count, long references) {}

    /**
     * An entry of the active tables refers to the cluster without saying that it is the only one.
     */
    default void shared(long cluster) {}
}
