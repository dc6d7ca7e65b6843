package io.quoin.management.volume;

/**
 * Hears how a long command gets on, on the thread that waits for the command.
 *
 * <p>Threading: confined to its thread.
 */
public interface CheckEvents {
    /** Hears nothing. */
    CheckEvents SILENT = new CheckEvents() {};

    /**
     * Told about once a second, whether there is news or not.
     *
     * @return false: nobody waits for the result any more
     */
    default boolean progress(long done, long total) {
        return true;
    }

    /** One line for a person. */
    default void finding(String text) {}
}
