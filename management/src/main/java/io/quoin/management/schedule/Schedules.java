package io.quoin.management.schedule;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobFailure;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.xlator.graph.NearestName;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schedules of a volume. What has become due is noted, durably, before a run begins, so that no
 * crash and no clock that is set back makes one run twice; docs/adr/0038 has the rules.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class Schedules {
    private static final Logger LOG = LoggerFactory.getLogger(Schedules.class);

    /** A run that begins so late is not on time: no service ran, or the clock was set. */
    private static final Duration LATE = Duration.ofMinutes(1);

    /** A clock that was ahead by so much was wrong: what it had made due says nothing. */
    private static final Duration WRONG = Duration.ofDays(1);

    private static final DateTimeFormatter BY_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final ScheduleStore store;
    private final ScheduleJobs jobs;
    private final InstantSource clock;
    private final Map<String, StoredSchedule> schedules = new TreeMap<>();

    /** Why the last look at a schedule failed: that is logged once. */
    private final Map<String, String> faults = new TreeMap<>();

    private boolean isLoaded;

    /**
     * @param folder where they are kept; made with the first
     * @param jobs does what is due
     */
    public Schedules(Path folder, ScheduleJobs jobs, InstantSource clock) {
        this.store = new ScheduleStore(folder);
        this.jobs = jobs;
        this.clock = clock;
    }

    private void load() {
        if (!isLoaded) {
            isLoaded = true;
            store.load().forEach(each -> schedules.put(each.spec().name(), each));
        }
    }

    /** All, by name, each with the last of its runs alone. */
    public synchronized List<ScheduleView> list() {
        load();
        List<ScheduleView> views = new ArrayList<>();
        for (String name : List.copyOf(schedules.keySet())) {
            views.add(view(withEnd(existing(name)), 1));
        }
        return views;
    }

    /**
     * One, with its history.
     *
     * @throws BlockException ENOENT if there is none of that name
     */
    public synchronized ScheduleView show(String name) {
        return view(withEnd(existing(name)), Integer.MAX_VALUE);
    }

    private ScheduleView view(StoredSchedule schedule, int runsMax) {
        List<ScheduledRun> runs = new ArrayList<>(schedule.runs());
        Collections.reverse(runs);
        Instant next = schedule.paused() ? null : next(schedule);
        return new ScheduleView(
                schedule.spec(),
                schedule.createdAt(),
                schedule.paused(),
                next == null ? null : next.toString(),
                List.copyOf(runs.subList(0, Math.min(runsMax, runs.size()))));
    }

    private static Timing timing(StoredSchedule schedule) {
        return Timing.of(schedule.spec().cron(), schedule.spec().zone());
    }

    private static @Nullable Instant next(StoredSchedule schedule) {
        return timing(schedule).next(Instant.parse(schedule.after()));
    }

    /**
     * Makes one. Durable on return.
     *
     * @throws BlockException EEXIST if there is one of that name, EINVAL if it can never be due
     */
    public synchronized ScheduleView create(ScheduleSpec spec) {
        load();
        store.requireFree(spec.name());
        Instant now = now();
        Timing.of(spec.cron(), spec.zone()).requireSome(now, spec.cron());
        StoredSchedule made =
                new StoredSchedule(
                        spec,
                        UUID.randomUUID().toString(),
                        now.toString(),
                        false,
                        now.toString(),
                        List.of(),
                        List.of());
        save(made);
        return view(made, 0);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS);
    }

    /** Removes one; what it has made stays. EBUSY while a run of it goes on. */
    public synchronized ScheduleView remove(String name) {
        StoredSchedule schedule = withEnd(existing(name));
        requireIdle(schedule);
        store.remove(name);
        schedules.remove(name);
        faults.remove(name);
        return view(schedule, 0);
    }

    private static void requireIdle(StoredSchedule schedule) {
        ScheduledRun running = schedule.running();
        if (running != null) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "a run of the schedule goes on: name="
                            + schedule.spec().name()
                            + ", job="
                            + running.job()
                            + "; wait for it, or cancel it, then try again");
        }
    }

    /** Has no run begin by itself. */
    public synchronized ScheduleView pause(String name) {
        StoredSchedule schedule = existing(name);
        return view(save(schedule.withPaused(true, schedule.after())), 0);
    }

    /** Lets runs begin again. What was due in between is left out. */
    public synchronized ScheduleView resume(String name) {
        StoredSchedule schedule = existing(name);
        return view(
                schedule.paused()
                        ? save(schedule.withPaused(false, later(schedule.after(), now())))
                        : schedule,
                0);
    }

    private static String later(String after, Instant now) {
        return (Instant.parse(after).isAfter(now) ? Instant.parse(after) : now).toString();
    }

    /**
     * Begins a run that is not due, also of a schedule that is paused.
     *
     * @throws BlockException EBUSY while one goes on
     */
    public synchronized JobView runNow(String name) {
        StoredSchedule schedule = withEnd(existing(name));
        requireIdle(schedule);
        Instant now = now();
        return begin(schedule, now, "asked for", now);
    }

    /** Begins what is due, and notes what has ended. Called again and again. */
    public synchronized void tick() {
        load();
        for (String name : List.copyOf(schedules.keySet())) {
            try {
                tick(withEnd(existing(name)));
                faults.remove(name);
            } catch (BlockException e) {
                String fault = String.valueOf(e.getMessage());
                if (!fault.equals(faults.put(name, fault))) {
                    LOG.warn("Schedule is not carried out: name={}, reason={}", name, fault);
                }
            }
        }
    }

    private void tick(StoredSchedule schedule) {
        if (schedule.paused()) {
            return;
        }
        Instant now = now();
        Instant after = Instant.parse(schedule.after());
        if (after.isAfter(now.plus(WRONG))) {
            LOG.warn(
                    "Clock was set back; schedule goes on from now: name={}, last due={}",
                    schedule.spec().name(),
                    after);
            save(schedule.withAfter(now.toString()));
            return;
        }
        Timing.Due due = timing(schedule).due(after, now);
        if (due != null) {
            become(schedule, due, now);
        }
    }

    private void become(StoredSchedule schedule, Timing.Due due, Instant now) {
        boolean isLate = due.isMore() || due.latest().plus(LATE).isBefore(now);
        int missed = isLate ? due.count() : due.count() - 1;
        StoredSchedule noted = schedule.withAfter(due.latest().toString());
        if (missed > 0) {
            String text =
                    "no service ran, or the clock was set: missed="
                            + missed
                            + (due.isMore() ? " or more" : "");
            noted =
                    noted.with(
                            new ScheduledRun(
                                    due.first().toString(),
                                    RunState.MISSED,
                                    null,
                                    null,
                                    null,
                                    text));
            LOG.warn("Schedule: name={}, {}", schedule.spec().name(), text);
        }
        if (isLate && !schedule.spec().catchUp()) {
            save(noted);
            return;
        }
        ScheduledRun running = noted.running();
        if (running != null) {
            String text = "the run before has not ended: job=" + running.job();
            save(
                    noted.with(
                            new ScheduledRun(
                                    due.latest().toString(),
                                    RunState.SKIPPED,
                                    null,
                                    null,
                                    null,
                                    text)));
            LOG.warn("Run is skipped: schedule={}, {}", schedule.spec().name(), text);
            return;
        }
        try {
            begin(noted, due.latest(), isLate ? "made up for what was missed" : null, now);
        } catch (BlockException e) {
            LOG.warn("Run failed: schedule={}, {}", schedule.spec().name(), e.getMessage());
        }
    }

    /** A run that cannot begin has failed. */
    private JobView begin(
            StoredSchedule schedule, Instant due, @Nullable String text, Instant now) {
        String makes = schedule.spec().name() + '-' + BY_TIME.format(now);
        ScheduledRun run =
                new ScheduledRun(due.toString(), RunState.RUNNING, makes, null, null, text);
        StoredSchedule noted = save(schedule.with(run));
        JobView job;
        try {
            job = jobs.start(noted);
        } catch (BlockException e) {
            save(noted.replacing(run, run.ended(RunState.FAILED, now.toString(), e.getMessage())));
            throw e;
        }
        save(noted.replacing(run, run.withJob(job.id())));
        return job;
    }

    /** With what became of the run that went on. */
    private StoredSchedule withEnd(StoredSchedule schedule) {
        ScheduledRun run = schedule.running();
        if (run == null) {
            return schedule;
        }
        String id = run.job();
        JobView job = id == null ? null : jobs.find(id);
        if (job == null) {
            return save(
                    schedule.replacing(
                            run,
                            run.ended(
                                    RunState.INTERRUPTED,
                                    null,
                                    "the service ended; nothing is known of its job")));
        }
        JobState state = job.state();
        if (!state.hasEnded()) {
            return schedule;
        }
        JobFailure failure = job.failure();
        return save(
                schedule.replacing(
                        run,
                        run.ended(
                                RunState.of(state),
                                job.endedAt(),
                                failure == null ? null : failure.message())));
    }

    private StoredSchedule existing(String name) {
        load();
        StoredSchedule schedule = schedules.get(name);
        if (schedule == null) {
            String hint =
                    NearestName.find(name, List.copyOf(schedules.keySet()))
                            .map(near -> "; did you mean " + near + "?")
                            .orElse("");
            throw new BlockException(BlockError.ENOENT, "no such schedule: name=" + name + hint);
        }
        return schedule;
    }

    /**
     * A run that goes on.
     *
     * @param makes name of the snapshots or backups
     */
    public record Running(StoredSchedule schedule, String makes) {}

    /**
     * The run of a schedule that goes on.
     *
     * @throws BlockException ENOENT if none does
     */
    public synchronized Running running(String name) {
        StoredSchedule schedule = existing(name);
        ScheduledRun run = schedule.running();
        String makes = run == null ? null : run.makes();
        if (makes == null) {
            throw new BlockException(
                    BlockError.ENOENT, "no run of the schedule goes on: name=" + name);
        }
        return new Running(schedule, makes);
    }

    /** The snapshots that a schedule keeps, the oldest first. */
    public synchronized List<MadeSnapshots> made(String name) {
        return existing(name).made();
    }

    /** Changes what is noted of those. Durable on return. */
    public synchronized void noteMade(String name, UnaryOperator<List<MadeSnapshots>> change) {
        StoredSchedule schedule = existing(name);
        save(schedule.withMade(change.apply(schedule.made())));
    }

    private StoredSchedule save(StoredSchedule schedule) {
        store.save(schedule);
        schedules.put(schedule.spec().name(), schedule);
        return schedule;
    }
}
