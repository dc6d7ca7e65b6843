package io.quoin.management.schedule;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A schedule as it is on disk.
 *
 * <p>Threading: immutable.
 *
 * @param spec what it does
 * @param id unique for ever; in the manifests of the backups that it makes
 * @param createdAt by ISO 8601
 * @param paused whether no run begins by itself
 * @param after the last time that was due, whatever became of it, by ISO 8601: what is due comes
 *     after it
 * @param runs its history, the oldest first
 * @param made the snapshots that it keeps, the oldest first
 */
public record StoredSchedule(
        ScheduleSpec spec,
        String id,
        String createdAt,
        boolean paused,
        String after,
        List<ScheduledRun> runs,
        List<MadeSnapshots> made) {
    private static final int RUNS_MAX = 100;

    /** The run that has not ended; null: none. */
    @Nullable ScheduledRun running() {
        return runs.stream()
                .filter(run -> run.state() == RunState.RUNNING)
                .findFirst()
                .orElse(null);
    }

    StoredSchedule withPaused(boolean now, String nowAfter) {
        return new StoredSchedule(spec, id, createdAt, now, nowAfter, runs, made);
    }

    StoredSchedule withAfter(String nowAfter) {
        return withPaused(paused, nowAfter);
    }

    StoredSchedule with(ScheduledRun run) {
        List<ScheduledRun> all = new ArrayList<>(runs);
        all.add(run);
        return withRuns(all.subList(Math.max(0, all.size() - RUNS_MAX), all.size()));
    }

    StoredSchedule replacing(ScheduledRun run, ScheduledRun by) {
        List<ScheduledRun> all = new ArrayList<>(runs);
        all.replaceAll(each -> each.equals(run) ? by : each);
        return withRuns(all);
    }

    private StoredSchedule withRuns(List<ScheduledRun> all) {
        return new StoredSchedule(spec, id, createdAt, paused, after, List.copyOf(all), made);
    }

    StoredSchedule withMade(List<MadeSnapshots> all) {
        return new StoredSchedule(spec, id, createdAt, paused, after, runs, List.copyOf(all));
    }
}
