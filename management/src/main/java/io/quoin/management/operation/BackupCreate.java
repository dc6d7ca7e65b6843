package io.quoin.management.operation;

import io.quoin.backup.BackupNames;
import io.quoin.backup.BackupRequest;
import io.quoin.backup.Repository;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.backup.VolumeDisk;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
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
                    "Back up disks into a folder of the service's machine while guests use them.",
                    Request.class,
                    JobView.class);

    /**
     * What is backed up.
     *
     * @param disks their names
     * @param repository absolute path of the folder of the backups
     * @param backup name of the backup; left out, by date and time
     * @param incremental whether only what has changed since the last backup is copied
     * @param compress whether data are stored compressed
     */
    public record Request(
            @InVolume List<String> disks,
            @Local String repository,
            @Nullable String backup,
            @Nullable Boolean incremental,
            @Nullable Boolean compress) {}

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
        return String.join(", ", request.disks());
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        if (request.disks().isEmpty()) {
            throw new BlockException(
                    BlockError.EINVAL, "disks to back up: count=0, expected=1 or more");
        }
        Path folder = NameText.path(request.repository());
        Repository.requireAbsolute(folder);
        if (folder.normalize().startsWith(volume.folder().path())) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backup repository lies in the data folder, and would be lost with it: path="
                            + NameText.of(folder)
                            + ", data="
                            + volume.folder().text());
        }
        wanted(request);
        request.disks().forEach(disk -> volume.disks().info(disk));
    }

    private static BackupRequest wanted(Request request) {
        String name = request.backup();
        return new BackupRequest(
                name == null ? BackupNames.at(Instant.now()) : name,
                Boolean.TRUE.equals(request.incremental()),
                Boolean.TRUE.equals(request.compress()));
    }

    /** One that fails keeps no other from its backup, and is told at the end. */
    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        BackupRequest wanted = wanted(request);
        Repository repository = new Repository(NameText.path(request.repository()));
        List<BackupView> made = new ArrayList<>();
        List<BlockException> failures = new ArrayList<>();
        long total = 0;
        for (String disk : request.disks()) {
            total += volume.disks().info(disk).sizeBytes();
        }
        long done = 0;
        for (String disk : request.disks()) {
            BackupJob events = new BackupJob(control, done, total);
            events.checkpoint();
            try {
                VolumeDisk source = VolumeDisk.of(volume.disks(), disk);
                BackupView backup =
                        BackupView.of(repository.create(source, wanted, events), false, null);
                made.add(backup);
                done += backup.sizeBytes();
            } catch (BlockException e) {
                control.message(disk + ": not backed up: " + e.getMessage());
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            BlockException first = failures.get(0);
            throw request.disks().size() == 1
                    ? first
                    : new BlockException(
                            first.error(),
                            first.getMessage()
                                    + "; backups made="
                                    + made.size()
                                    + ", failed="
                                    + failures.size(),
                            first);
        }
        return new Result(made);
    }
}
