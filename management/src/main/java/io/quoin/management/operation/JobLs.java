package io.quoin.management.operation;

import io.quoin.management.job.JobView;
import java.util.List;

/**
 * {@code job.ls}.
 *
 * <p>Threading: immutable.
 */
public final class JobLs implements Operation<JobLs.Request, JobLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "job.ls",
                    Kind.READ,
                    "GET /v1/jobs",
                    "List the jobs.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The jobs.
     *
     * @param jobs the oldest first
     */
    public record Result(List<JobView> jobs) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.jobs().list().stream().map(volume::shown).toList());
    }
}
