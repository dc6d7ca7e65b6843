package io.quoin.management.job;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/**
 * Where a job is.
 *
 * <pre>
 *   queued --> running <--> paused
 *   queued, running, paused --> cancelled, interrupted
 *   running --> done, failed
 * </pre>
 *
 * <p>Threading: immutable.
 */
public enum JobState {
    QUEUED,
    RUNNING,
    PAUSED,
    DONE,
    FAILED,
    /** A client ended it. */
    CANCELLED,
    /** The service ended, in whatever way, before the job did. */
    INTERRUPTED;

    /** Whether it stays so for good. */
    public boolean hasEnded() {
        return this != QUEUED && this != RUNNING && this != PAUSED;
    }

    /** As it stands in JSON and on the terminal. */
    @JsonValue
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    static JobState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
