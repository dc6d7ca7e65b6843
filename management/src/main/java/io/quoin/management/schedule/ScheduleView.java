package io.quoin.management.schedule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A schedule as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param spec what it does
 * @param createdAt by ISO 8601
 * @param paused whether no run begins by itself
 * @param next when the next run is due, by ISO 8601; null: none is
 * @param runs its history, the newest first
 */
public record ScheduleView(
        ScheduleSpec spec,
        String createdAt,
        boolean paused,
        @Nullable String next,
        List<ScheduledRun> runs) {}
