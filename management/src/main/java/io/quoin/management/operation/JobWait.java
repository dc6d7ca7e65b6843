package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobNews;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code job.wait}: one look at a job, which waits for news. Clients that follow a job ask again.
 *
 * <p>Threading: immutable.
 */
public final class JobWait implements Operation<JobWait.Request, JobNews> {
    /** As clients see it. */
    public static final OperationType<Request, JobNews> TYPE =
            OperationType.of(
                    "job.wait",
                    Kind.READ,
                    "GET /v1/jobs/{id}/wait",
                    "Wait for a message of a job, or its end.",
                    Request.class,
                    JobNews.class);

    private static final long SECONDS_MAX = 60;

    /**
     * Which job, and what is known of it.
     *
     * @param id of the job
     * @param after number of the first message that is not known, as the answer before said; 0
     * @param seconds at most 60; 0 to look and not wait
     */
    public record Request(@InVolume String id, @Nullable Long after, @Nullable Long seconds) {
        public Request {
            if (seconds != null && (seconds < 0 || seconds > SECONDS_MAX)) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "wrong argument: name=seconds, expected=0 to 60, actual=" + seconds);
            }
        }
    }

    @Override
    public OperationType<Request, JobNews> type() {
        return TYPE;
    }

    @Override
    public JobNews run(Request request, ManagedVolume volume) {
        Long after = request.after();
        Long seconds = request.seconds();
        JobNews news =
                volume.jobs()
                        .await(
                                request.id(),
                                after == null ? 0 : after,
                                TimeUnit.SECONDS.toMillis(seconds == null ? 0 : seconds));
        return new JobNews(volume.shown(news.job()), news.messages(), news.next());
    }
}
