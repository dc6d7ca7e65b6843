package io.quoin.management.schedule;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.quoin.management.job.JobState;
import java.util.Locale;

/**
 * What became of a run of a schedule.
 *
 * <p>Threading: immutable.
 */
public enum RunState {
    /** Its job has not ended. */
    RUNNING,
    DONE,
    FAILED,
    CANCELLED,
    /** The service ended before its job did. */
    INTERRUPTED,
    /** It was not begun, as the one before had not ended. */
    SKIPPED,
    /** It was not begun, as no service ran or the clock was set forward. */
    MISSED;

    static RunState of(JobState ended) {
        return switch (ended) {
            case DONE -> DONE;
            case FAILED -> FAILED;
            case CANCELLED -> CANCELLED;
            case INTERRUPTED -> INTERRUPTED;
            case QUEUED, RUNNING, PAUSED -> RUNNING;
        };
    }

    /** As it stands in JSON and on the terminal. */
    @JsonValue
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    static RunState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
