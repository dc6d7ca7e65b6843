package io.quoin.management.operation;

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
    public record Request(String id) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public JobView run(Request request, ManagedVolume volume) {
        return volume.jobs().pause(request.id());
    }
}
