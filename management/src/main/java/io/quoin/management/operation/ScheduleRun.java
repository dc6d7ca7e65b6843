package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import java.util.List;

/**
 * {@code schedule.run}: a job, which schedules begin by themselves too. One that is interrupted is
 * not taken up again; the history of the schedule says so.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleRun implements JobOperation<ScheduleRun.Request, ScheduleRun.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "schedule.run",
                    Kind.JOB,
                    "POST /v1/schedules/{name}/run",
                    "Do now what a schedule does, also of one that is paused.",
                    Request.class,
                    JobView.class);

    /**
     * Which.
     *
     * @param name of the schedule
     */
    public record Request(String name) {}

    /**
     * What was done.
     *
     * @param schedule its name
     * @param snapshots {@code DISK@SNAPSHOT} of those that were made
     * @param backups those that were made
     * @param removed of what the schedule had made before: {@code DISK@SNAPSHOT} or {@code
     *     DISK/BACKUP}
     */
    public record Result(
            String schedule,
            List<String> snapshots,
            List<BackupView> backups,
            List<String> removed) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name();
    }

    /** Of snapshots; backups count bytes, and {@link ScheduledJobs} says so. */
    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    /** The schedule begins it, and has it in its history. */
    @Override
    public JobView run(Request request, ManagedVolume volume) {
        return volume.schedules().runNow(request.name());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        return new ScheduledWork(volume, volume.schedules().running(request.name()), control).run();
    }
}
