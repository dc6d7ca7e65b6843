package io.quoin.management.operation;

import io.quoin.backup.Pruning;
import io.quoin.backup.Repository;
import io.quoin.backup.Retention;
import io.quoin.management.backup.VolumeDisk;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.xlator.NameText;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.prune}: a job.
 *
 * <p>Threading: immutable.
 */
public final class BackupPrune implements JobOperation<BackupPrune.Request, BackupPrune.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.prune",
                    Kind.JOB,
                    "POST /v1/backups/prune",
                    "Remove backups by a retention, and what unfinished backups have left.",
                    Request.class,
                    JobView.class);

    /**
     * What is kept; without any number, everything is.
     *
     * @param repository absolute path of the folder of the backups
     * @param disk left out, those of all disks
     * @param keepLast so many of the newest
     * @param keepHourly the newest of each of so many hours
     * @param keepDaily of days
     * @param keepWeekly of weeks
     * @param keepMonthly of months
     * @param keepYearly of years
     * @param dryRun tell, and change nothing
     */
    public record Request(
            @Local String repository,
            @Nullable String disk,
            @Nullable Long keepLast,
            @Nullable Long keepHourly,
            @Nullable Long keepDaily,
            @Nullable Long keepWeekly,
            @Nullable Long keepMonthly,
            @Nullable Long keepYearly,
            @Nullable Boolean dryRun) {}

    /**
     * What became of the backups.
     *
     * @param backups by disk, the oldest first
     */
    public record Result(List<Pruning.Decision> backups) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.repository();
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        Repository.requireAbsolute(NameText.path(request.repository()));
        retention(request);
    }

    private static Retention retention(Request request) {
        return new Retention(
                count(request.keepLast()),
                count(request.keepHourly()),
                count(request.keepDaily()),
                count(request.keepWeekly()),
                count(request.keepMonthly()),
                count(request.keepYearly()));
    }

    private static long count(@Nullable Long value) {
        return value == null ? 0 : value;
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        Repository repository = new Repository(NameText.path(request.repository()));
        return new Result(
                repository.prune(
                        request.disk(),
                        Pruning.Rule.of(retention(request)),
                        name -> VolumeDisk.find(volume.disks(), name),
                        Boolean.TRUE.equals(request.dryRun()),
                        new BackupJob(control)));
    }
}
