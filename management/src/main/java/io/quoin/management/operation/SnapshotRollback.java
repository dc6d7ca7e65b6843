package io.quoin.management.operation;

import io.quoin.management.backup.DiffImport;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.snapshot.SnapshotName;

/**
 * {@code snapshot.rollback}: a job.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotRollback
        implements JobOperation<SnapshotRollback.Request, SnapshotRollback.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapshot.rollback",
                    Kind.JOB,
                    "POST /v1/disks/{name}/snapshots/{snapshot}/rollback",
                    "Make a disk that nothing has attached what it was at a snapshot.",
                    Request.class,
                    JobView.class);

    /**
     * To which snapshot.
     *
     * @param name of the disk
     * @param snapshot its name or id
     */
    public record Request(@InVolume String name, String snapshot) {}

    /**
     * What the disk is.
     *
     * @param name of the disk
     * @param snapshot as it was given
     * @param sizeBytes of the disk now
     */
    public record Result(String name, String snapshot, long sizeBytes) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name() + '@' + request.snapshot();
    }

    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        volume.disks().snapshots().requireRollback(name(request));
    }

    private static SnapshotName name(Request request) {
        return new SnapshotName(request.name(), request.snapshot());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        DiffImport.forget(volume.folder().imports(), request.name());
        long sizeBytes =
                volume.disks().snapshots().rollback(name(request), new SnapshotJob(control));
        volume.disks().refreshNames();
        return new Result(request.name(), request.snapshot(), sizeBytes);
    }
}
