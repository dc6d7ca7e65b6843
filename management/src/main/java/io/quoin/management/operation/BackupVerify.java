package io.quoin.management.operation;

import io.quoin.backup.Repository;
import io.quoin.backup.Verification;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.xlator.NameText;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.verify}: a job, done also where faults are found.
 *
 * <p>Threading: immutable.
 */
public final class BackupVerify implements JobOperation<BackupVerify.Request, Verification.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.verify",
                    Kind.JOB,
                    "POST /v1/backups/verify",
                    "Read backups whole, and find each byte that is not as it was written.",
                    Request.class,
                    JobView.class);

    /**
     * Which.
     *
     * @param repository absolute path of the folder of the backups
     * @param disk left out, those of all disks
     * @param backup its name; left out, all
     */
    public record Request(
            @Local String repository, @Nullable String disk, @Nullable String backup) {}

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
    }

    /** It reads, so it may begin anew. */
    @Override
    public boolean isResumable() {
        return true;
    }

    @Override
    public Verification.Result work(Request request, ManagedVolume volume, JobControl control) {
        return new Repository(NameText.path(request.repository()))
                .verify(request.disk(), request.backup(), new BackupJob(control));
    }
}
