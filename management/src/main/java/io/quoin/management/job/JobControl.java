package io.quoin.management.job;

/**
 * What the work of a job tells, and how it hears that it is to pause or to end.
 *
 * <p>Threading: thread-safe; only {@link #proceed} waits.
 */
public interface JobControl {
    /** {@code done} of {@code total} units are done. */
    void progress(long done, long total);

    /** One line for a person. */
    void message(String text);

    /** Whether the job is to end; the work then fails, soon, with any exception. */
    boolean isEnding();

    /** Whether the job is paused: {@link #proceed} would wait. */
    boolean isPaused();

    /**
     * Called between pieces of work: waits while the job is paused.
     *
     * @return false if the job is to end
     */
    boolean proceed();
}
