package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import java.util.List;

/**
 * {@code snapgroup.rm}: a job.
 *
 * <p>Threading: immutable.
 */
public final class SnapgroupRm implements JobOperation<SnapgroupRm.Request, SnapgroupRm.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapgroup.rm",
                    Kind.JOB,
                    "DELETE /v1/snapshot-groups/{group}",
                    "Remove the snapshots of a group, one after the other.",
                    Request.class,
                    JobView.class);

    /**
     * Which group.
     *
     * @param group its name or UUID
     */
    public record Request(@InVolume String group) {}

    /**
     * What was removed.
     *
     * @param group as it was given
     * @param snapshots {@code DISK@SNAPSHOT}
     */
    public record Result(String group, List<String> snapshots) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.group();
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
        volume.disks().groups().info(request.group());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        List<String> removed =
                volume.disks().groups().remove(request.group(), new SnapshotJob(control));
        volume.disks().refreshNames();
        return new Result(request.group(), removed);
    }
}
