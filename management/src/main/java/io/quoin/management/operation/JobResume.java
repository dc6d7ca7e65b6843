package io.quoin.management.operation;

import io.quoin.management.job.JobView;

/**
 * {@code job.resume}.
 *
 * <p>Threading: immutable.
 */
public final class JobResume implements Operation<JobResume.Request, JobView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "job.resume",
                    Kind.CHANGE,
                    "POST /v1/jobs/{id}/resume",
                    "Let a paused job go on.",
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
        return volume.shown(volume.jobs().resume(request.id()));
    }
}
