package io.quoin.management.volume;

/**
 * Hears how a long command gets on, on the thread that waits for the command, but for {@link
 * #betweenPieces}.
 *
 * <p>Threading: confined to its thread.
 */
public interface CheckEvents {
    /** Hears nothing. */
    CheckEvents SILENT = new CheckEvents() {};

    /**
     * Told about once a second, whether there is news or not.
     *
     * @return false: the check is to end
     */
    default boolean progress(long done, long total) {
        return true;
    }

    /**
     * Between two pieces of the check, and on a thread of its own: to wait here is to pause it.
     * Guests go on meanwhile.
     */
    default void betweenPieces() {}

    /**
     * Whether {@link #betweenPieces} would wait; work without pieces ends then, and begins anew.
     */
    default boolean isPaused() {
        return false;
    }

    /** One line for a person. */
    default void finding(String text) {}
}
