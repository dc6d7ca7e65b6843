package io.quoin.management.operation;

import io.quoin.backup.Backup;
import io.quoin.backup.BackupEvents;
import io.quoin.backup.OpenBackup;
import io.quoin.backup.Repository;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.backup.Restoring;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.xlator.NameText;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.restore}: a job. One that is interrupted leaves a disk {@code restoring-...}.
 *
 * <p>Threading: immutable.
 */
public final class BackupRestore
        implements JobOperation<BackupRestore.Request, BackupRestore.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.restore",
                    Kind.JOB,
                    "POST /v1/backups/restore",
                    "Make a disk of a backup: a new one, or in the place of one.",
                    Request.class,
                    JobView.class);

    /**
     * Which backup, and where to; one of {@code as} and {@code over} is given.
     *
     * @param repository absolute path of the folder of the backups
     * @param backup its name
     * @param disk whose it is; left out, of the only disk with such a backup
     * @param as name of a new disk
     * @param over name of a disk that is replaced; nothing may have it attached
     */
    public record Request(
            @Local String repository,
            String backup,
            @Nullable String disk,
            @InVolume @Nullable String as,
            @InVolume @Nullable String over) {}

    /**
     * What was made.
     *
     * @param name of the disk
     * @param backup that it is
     * @param sizeBytes of both
     */
    public record Result(String name, BackupView backup, long sizeBytes) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.as() == null ? String.valueOf(request.over()) : request.as();
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        if ((request.as() == null) == (request.over() == null)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "where a backup is restored to: as="
                            + request.as()
                            + ", over="
                            + request.over()
                            + ", expected=one of the two");
        }
        if (request.as() != null) {
            Restoring.requireNew(volume.disks(), request.as());
        } else if (request.over() != null) {
            Restoring.requireReplaceable(volume.disks(), request.over());
        }
        new Repository(NameText.path(request.repository())).find(request.disk(), request.backup());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        Repository repository = new Repository(NameText.path(request.repository()));
        Backup backup = repository.find(request.disk(), request.backup());
        BackupEvents events = new BackupJob(control);
        try (OpenBackup open = repository.open(backup, events)) {
            Restoring restoring = new Restoring(volume.disks(), events);
            long sizeBytes = open.disk().sizeBytes();
            String name = request.as();
            if (name != null) {
                restoring.toNew(open, name);
            } else {
                name = String.valueOf(request.over());
                restoring.over(open, name);
            }
            return new Result(name, BackupView.of(backup), sizeBytes);
        }
    }
}
