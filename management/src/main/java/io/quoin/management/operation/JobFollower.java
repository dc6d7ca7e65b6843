package io.quoin.management.operation;

import io.quoin.management.job.JobNews;
import io.quoin.management.job.JobProgress;
import io.quoin.management.job.JobView;
import java.util.function.Consumer;

/**
 * A client's wait for a job. The job does not know of it.
 *
 * <p>Threading: confined to its thread.
 */
public final class JobFollower {
    private static final long LOOK_SECONDS = 1;

    private JobFollower() {}

    /**
     * Waits for the end of a job.
     *
     * @param progress told about once a second
     * @param messages told each line
     */
    public static JobView follow(
            VolumeClient client,
            String id,
            Consumer<JobProgress> progress,
            Consumer<String> messages) {
        long after = 0;
        while (true) {
            JobNews news = client.call(JobWait.TYPE, new JobWait.Request(id, after, LOOK_SECONDS));
            after = news.next();
            news.messages().forEach(messages);
            progress.accept(news.job().progress());
            if (news.job().state().hasEnded()) {
                return news.job();
            }
        }
    }
}
