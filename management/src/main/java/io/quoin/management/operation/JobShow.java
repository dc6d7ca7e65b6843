package io.quoin.management.operation;

import io.quoin.management.job.JobView;

/**
 * {@code job.show}.
 *
 * <p>Threading: immutable.
 */
public final class JobShow implements Operation<JobShow.Request, JobView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "job.show",
                    Kind.READ,
                    "GET /v1/jobs/{id}",
                    "Show one job.",
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
        return volume.shown(volume.jobs().show(request.id()));
    }
}
