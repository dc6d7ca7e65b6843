package io.quoin.management.schedule;

import org.jspecify.annotations.Nullable;

/**
 * A line in the history of a schedule.
 *
 * <p>Threading: immutable.
 *
 * @param due when it was due, by ISO 8601; of one that was asked for, when that was
 * @param state what became of it
 * @param makes name of the snapshots or backups; null: it was not begun
 * @param job id of its job; null: it was not begun
 * @param endedAt when its job ended, by ISO 8601; null: it has not, or was not begun
 * @param text why it failed or was not begun, or why it is not on time; null: nothing to say
 */
public record ScheduledRun(
        String due,
        RunState state,
        @Nullable String makes,
        @Nullable String job,
        @Nullable String endedAt,
        @Nullable String text) {
    ScheduledRun withJob(String id) {
        return new ScheduledRun(due, state, makes, id, endedAt, text);
    }

    ScheduledRun ended(RunState as, @Nullable String at, @Nullable String why) {
        return new ScheduledRun(due, as, makes, job, at, why == null ? text : why);
    }
}
