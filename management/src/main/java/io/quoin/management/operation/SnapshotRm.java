package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.VolumeSnapshots;
import io.quoin.snapshot.SnapshotName;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapshot.rm}: a job.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotRm implements JobOperation<SnapshotRm.Request, SnapshotRm.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapshot.rm",
                    Kind.JOB,
                    "DELETE /v1/disks/{name}/snapshots/{snapshot}",
                    "Remove a snapshot and give its space back while guests use the disk.",
                    Request.class,
                    JobView.class);

    /**
     * Which snapshot.
     *
     * @param name of the disk
     * @param snapshot its name or id
     * @param breakChain whether it is removed though backups go on from it
     */
    public record Request(@InVolume String name, String snapshot, @Nullable Boolean breakChain) {}

    /**
     * What was removed.
     *
     * @param name of the disk
     * @param snapshot as it was given
     * @param freedBytes how much less the image takes, as far as nothing was written meanwhile
     * @param allocatedBytes what the image takes now
     */
    public record Result(String name, String snapshot, long freedBytes, long allocatedBytes) {}

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
        String snapshot = volume.disks().snapshots().info(name(request)).name();
        if (!Boolean.TRUE.equals(request.breakChain())) {
            BackupSnapshots.requireFree(request.name(), snapshot);
        }
    }

    private static SnapshotName name(Request request) {
        return new SnapshotName(request.name(), request.snapshot());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        String group = volume.disks().snapshots().info(name(request)).group();
        VolumeSnapshots.Freed freed =
                volume.disks().snapshots().remove(name(request), new SnapshotJob(control));
        if (group != null) {
            volume.disks().groups().forgetIfEmpty(group);
        }
        volume.disks().refreshNames();
        return new Result(
                request.name(), request.snapshot(), freed.freedBytes(), freed.allocatedBytes());
    }
}
