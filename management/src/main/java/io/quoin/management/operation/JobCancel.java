package io.quoin.management.operation;

import io.quoin.management.job.JobView;

/**
 * {@code job.cancel}.
 *
 * <p>Threading: immutable.
 */
public final class JobCancel implements Operation<JobCancel.Request, JobView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "job.cancel",
                    Kind.CHANGE,
                    "POST /v1/jobs/{id}/cancel",
                    "Have a job end soon; one that has ended stays as it is.",
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
        return volume.shown(volume.jobs().cancel(request.id()));
    }
}
