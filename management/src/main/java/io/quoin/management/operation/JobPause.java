package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobView;

/**
 * {@code job.pause}.
 *
 * <p>Threading: immutable.
 */
public final class JobPause implements Operation<JobPause.Request, JobView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "job.pause",
                    Kind.CHANGE,
                    "POST /v1/jobs/{id}/pause",
                    "Have a running job wait.",
                    Request.class,
                    JobView.class);

    /**
     * Which job.
     *
     * @param id of the job
     */
    public record Request(@InVolume String id) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public JobView run(Request request, ManagedVolume volume) {
        requirePausable(volume.jobs().show(request.id()));
        return volume.shown(volume.jobs().pause(request.id()));
    }

    private static void requirePausable(JobView job) {
        boolean isPausable =
                Operations.ALL.stream()
                        .filter(operation -> operation.type().name().equals(job.kind()))
                        .noneMatch(
                                operation ->
                                        operation instanceof JobOperation<?, ?> work
                                                && !work.isPausable());
        if (!isPausable) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "job cannot be paused: id=" + job.id() + ", kind=" + job.kind());
        }
    }
}
