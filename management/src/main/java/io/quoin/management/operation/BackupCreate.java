package io.quoin.management.operation;

import io.quoin.backup.BackupNames;
import io.quoin.backup.BackupRequest;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.create}: a job. One that is interrupted is not taken up again, since its snapshot
 * would be of another moment; the next backup removes what it has left.
 *
 * <p>Threading: immutable.
 */
public final class BackupCreate implements JobOperation<BackupCreate.Request, BackupCreate.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.create",
                    Kind.JOB,
                    "POST /v1/backups",
                    "Back up disks, as they are at one moment, into a folder of the service's machine"
                            + " while guests use them.",
                    Request.class,
                    JobView.class);

    /**
     * What is backed up.
     *
     * @param disks their names; left out, those of {@code group}
     * @param repository absolute path of the folder of the backups
     * @param backup name of the backup; left out, by date and time
     * @param incremental whether only what has changed since the last backup is copied
     * @param compress whether data are stored compressed
     * @param group a group of disks that is kept
     */
    public record Request(
            @InVolume @Nullable List<String> disks,
            @Local String repository,
            @Nullable String backup,
            @Nullable Boolean incremental,
            @Nullable Boolean compress,
            @Nullable String group) {}

    /**
     * What was made.
     *
     * @param backups one of each disk
     */
    public record Result(List<BackupView> backups) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return DiskChoice.text(request.disks(), request.group());
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        BackupWork.requireFolder(request.repository(), volume);
        wanted(request);
        DiskChoice.of(request.disks(), request.group(), volume)
                .forEach(disk -> volume.disks().info(disk));
    }

    private static BackupRequest wanted(Request request) {
        String name = request.backup();
        return new BackupRequest(
                name == null ? BackupNames.at(Instant.now()) : name,
                Boolean.TRUE.equals(request.incremental()),
                Boolean.TRUE.equals(request.compress()));
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        List<String> disks = DiskChoice.of(request.disks(), request.group(), volume);
        return new Result(
                new BackupWork(volume, request.repository(), control)
                        .create(disks, wanted(request)));
    }
}
