package io.quoin.management.job;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One job: its state, what it has told, and the clients that wait for news of it.
 *
 * <p>Threading: thread-safe; guarded by itself, and calls nothing of others while it is held.
 */
final class Job implements JobControl {
    private static final int MESSAGES_MAX = 1000;
    private static final int MESSAGE_LENGTH_MAX = 4096;

    private final String id;
    private final String kind;
    private final String subject;
    private final String unit;
    private final Map<String, Object> request;
    private final Deque<String> messages = new ArrayDeque<>();
    private final JobRate rate = new JobRate();
    private JobState state = JobState.QUEUED;
    private String createdAt = now();
    private @Nullable String startedAt;
    private @Nullable String endedAt;
    private @Nullable JobFailure failure;
    private @Nullable Map<String, Object> result;
    private long done;
    private long total;

    /** Number of the next message. */
    private long nextMessage;

    /** What the job is to end as; null while it is not. */
    private @Nullable JobState ending;

    Job(String id, String kind, String subject, String unit, Map<String, Object> request) {
        this.id = id;
        this.kind = kind;
        this.subject = subject;
        this.unit = unit;
        this.request = request;
    }

    /** One that was on disk; it has to be brought to its end if it has not ended. */
    static Job of(StoredJob stored) {
        JobView view = stored.job();
        Job job =
                new Job(
                        view.id(),
                        view.kind(),
                        view.subject(),
                        view.progress().unit(),
                        stored.request());
        job.restore(view);
        return job;
    }

    private synchronized void restore(JobView view) {
        state = view.state();
        createdAt = view.createdAt();
        startedAt = view.startedAt();
        endedAt = view.endedAt();
        failure = view.failure();
        result = view.result();
        done = view.progress().done();
        total = view.progress().total();
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    String id() {
        return id;
    }

    synchronized JobState state() {
        return state;
    }

    synchronized StoredJob stored() {
        return new StoredJob(view(), request);
    }

    synchronized JobView view() {
        long perSecond = state == JobState.RUNNING ? rate.perSecond(System.nanoTime(), done) : 0;
        JobProgress progress =
                new JobProgress(
                        done,
                        total,
                        unit,
                        perSecond,
                        JobRate.remainingSeconds(done, total, perSecond));
        return new JobView(
                id, kind, subject, state, progress, createdAt, startedAt, endedAt, failure, result);
    }

    /** False if it has ended before it began. */
    synchronized boolean begin() {
        if (state != JobState.QUEUED) {
            return false;
        }
        state = JobState.RUNNING;
        startedAt = now();
        rate.reset(System.nanoTime(), 0);
        return true;
    }

    /** Queues one again that was on disk. */
    synchronized void queueAgain() {
        state = JobState.QUEUED;
        startedAt = null;
    }

    synchronized void succeed(Map<String, Object> fields) {
        result = fields;
        if (total > 0) {
            done = total;
        }
        end(JobState.DONE);
    }

    /** As cancelled or interrupted, if it was asked to be that. */
    synchronized void fail(BlockException why) {
        JobState asked = ending;
        failure =
                asked == JobState.CANCELLED
                        ? new JobFailure(BlockError.ESHUTDOWN.name(), "job was cancelled: id=" + id)
                        : JobFailure.of(why);
        end(asked == null ? JobState.FAILED : asked);
    }

    private void end(JobState last) {
        state = last;
        endedAt = now();
        notifyAll();
    }

    /**
     * Has it end soon.
     *
     * @return whether it has ended with that, as one that had not begun
     */
    synchronized boolean requestEnd(JobState as, BlockException why) {
        if (state.hasEnded()) {
            return false;
        }
        if (ending == null) {
            ending = as;
        }
        notifyAll();
        if (state == JobState.QUEUED) {
            fail(why);
            return true;
        }
        return false;
    }

    synchronized void pause() {
        requireState("paused", JobState.RUNNING);
        state = JobState.PAUSED;
    }

    synchronized void resume() {
        requireState("resumed", JobState.PAUSED);
        state = JobState.RUNNING;
        rate.reset(System.nanoTime(), done);
        notifyAll();
    }

    private void requireState(String verb, JobState expected) {
        if (state != expected) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "job cannot be "
                            + verb
                            + ": id="
                            + id
                            + ", expected="
                            + expected.text()
                            + ", actual="
                            + state.text());
        }
    }

    @Override
    public synchronized void progress(long nowDone, long nowTotal) {
        done = nowDone;
        total = nowTotal;
        rate.add(System.nanoTime(), nowDone);
    }

    @Override
    public synchronized void message(String text) {
        messages.add(
                text.length() <= MESSAGE_LENGTH_MAX ? text : text.substring(0, MESSAGE_LENGTH_MAX));
        nextMessage++;
        if (messages.size() > MESSAGES_MAX) {
            messages.removeFirst();
        }
        notifyAll();
    }

    @Override
    public synchronized boolean isEnding() {
        return ending != null;
    }

    @Override
    public synchronized boolean isPaused() {
        return state == JobState.PAUSED && ending == null;
    }

    @Override
    public synchronized boolean proceed() {
        while (isPaused()) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return ending == null;
    }

    /** Waits until there is a message from {@code from} on, the job has ended, or time is up. */
    synchronized JobNews await(long from, long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long left = millis;
        while (!state.hasEnded() && nextMessage <= from && left > 0) {
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
            }
            left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        }
        List<String> all = new ArrayList<>(messages);
        long first = nextMessage - all.size();
        int skipped = (int) Math.max(0, Math.min(all.size(), from - first));
        return new JobNews(view(), List.copyOf(all.subList(skipped, all.size())), nextMessage);
    }
}
