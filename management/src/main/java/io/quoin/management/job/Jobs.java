package io.quoin.management.job;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The jobs of a volume: those that wait, run and have ended. docs/adr/0021 has the rules.
 *
 * <p>Threading: thread-safe. A job's own lock is taken inside this one's, never the other way.
 */
public final class Jobs implements AutoCloseable {
    private static final int RUNNING_MAX = 2;
    private static final int QUEUED_MAX = 256;
    private static final int ENDED_MAX = 200;
    private static final long END_SECONDS = 30;
    private static final long POLL_MILLIS = 1000;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> FIELDS = new TypeReference<>() {};

    private final JobStore store;
    private final Function<StoredJob, Optional<JobWork>> resumer;
    private final TreeMap<Long, Job> jobs = new TreeMap<>();
    private final Map<Job, JobWork> works = new HashMap<>();
    private final Deque<Job> queue = new ArrayDeque<>();
    private int threads;
    private long nextId = 1;
    private boolean loaded;
    private boolean closing;

    /**
     * @param folder where they are kept; made with the first
     * @param resumer the work of a job that did not end in the process before, if it can go on
     */
    public Jobs(Path folder, Function<StoredJob, Optional<JobWork>> resumer) {
        this.store = new JobStore(folder);
        this.resumer = resumer;
    }

    /** Reads those of earlier processes, once: they would only make the start of this one slow. */
    public synchronized void load() {
        if (loaded || closing) {
            return;
        }
        loaded = true;
        for (StoredJob stored : store.load()) {
            Job job = Job.of(stored);
            long id = Long.parseLong(job.id());
            jobs.put(id, job);
            nextId = id + 1;
            if (!stored.job().state().hasEnded()) {
                takeUp(job, stored);
            }
        }
        removeOldest();
        startQueued();
    }

    private void takeUp(Job job, StoredJob stored) {
        Optional<JobWork> work = resumer.apply(stored);
        if (work.isPresent()) {
            job.queueAgain();
            works.put(job, work.get());
            queue.add(job);
        } else {
            BlockException ended =
                    new BlockException(
                            BlockError.ESHUTDOWN, "the service ended before the job did");
            job.requestEnd(JobState.INTERRUPTED, ended);
            if (!job.state().hasEnded()) {
                job.fail(ended);
            }
        }
        store.save(job.stored());
    }

    /**
     * Takes a job on, which begins when its turn comes.
     *
     * @param kind the operation
     * @param subject what it works on
     * @param unit of its progress
     * @param request what was asked for, kept with it
     * @throws BlockException EBUSY if too many wait already
     */
    public synchronized JobView start(
            String kind, String subject, String unit, Map<String, Object> request, JobWork work) {
        load();
        requireOpen();
        if (queue.size() >= QUEUED_MAX) {
            throw new BlockException(
                    BlockError.EBUSY, "too many jobs are waiting: actual=" + queue.size());
        }
        Job job = new Job(Long.toString(nextId), kind, subject, unit, request);
        jobs.put(nextId, job);
        nextId++;
        works.put(job, work);
        queue.add(job);
        store.save(job.stored());
        removeOldest();
        startQueued();
        return job.view();
    }

    private void startQueued() {
        while (!queue.isEmpty() && runningCount() < RUNNING_MAX && !closing) {
            Job job = queue.remove();
            JobWork work = works.remove(job);
            if (work == null || !job.begin()) {
                continue;
            }
            store.save(job.stored());
            threads++;
            Thread thread = new Thread(() -> run(job, work), "quoin-job-" + job.id());
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** One that is paused takes no place. */
    private long runningCount() {
        return jobs.values().stream().filter(job -> job.state() == JobState.RUNNING).count();
    }

    private void run(Job job, JobWork work) {
        try {
            job.succeed(JSON.convertValue(work.run(job), FIELDS));
        } catch (RuntimeException | Error e) {
            job.fail(Stages.asBlockException(e));
        }
        synchronized (this) {
            store.save(job.stored());
            threads--;
            removeOldest();
            startQueued();
            notifyAll();
        }
    }

    private void removeOldest() {
        List<Job> ended = jobs.values().stream().filter(job -> job.state().hasEnded()).toList();
        for (Job job : ended.subList(0, Math.max(0, ended.size() - ENDED_MAX))) {
            jobs.remove(Long.parseLong(job.id()));
            store.remove(job.id());
        }
    }

    /** All, the oldest first. */
    public List<JobView> list() {
        return snapshot().stream().map(Job::view).toList();
    }

    private synchronized Collection<Job> snapshot() {
        load();
        return new ArrayList<>(jobs.values());
    }

    /**
     * One of them.
     *
     * @throws BlockException ENOENT if there is none of that id
     */
    public JobView show(String id) {
        return find(id).view();
    }

    private synchronized Job find(String id) {
        load();
        Job job = id.matches("\\d{1,18}") ? jobs.get(Long.parseLong(id)) : null;
        if (job == null) {
            throw new BlockException(
                    BlockError.ENOENT, "no such job: id=" + id + "; quoin job ls --all shows them");
        }
        return job;
    }

    /**
     * Waits for news of a job: a message from number {@code from} on, or its end.
     *
     * @param millis at most
     */
    public JobNews await(String id, long from, long millis) {
        return find(id).await(from, millis);
    }

    /** Has a job end soon; nothing happens to one that has ended. */
    public synchronized JobView cancel(String id) {
        Job job = find(id);
        BlockException cancelled = new BlockException(BlockError.ESHUTDOWN, "cancelled");
        if (job.requestEnd(JobState.CANCELLED, cancelled)) {
            queue.remove(job);
            works.remove(job);
            store.save(job.stored());
        }
        return job.view();
    }

    /** Has a running job wait before its next piece of work. */
    public synchronized JobView pause(String id) {
        Job job = find(id);
        job.pause();
        store.save(job.stored());
        startQueued();
        return job.view();
    }

    /** Lets a paused job go on. */
    public synchronized JobView resume(String id) {
        Job job = find(id);
        job.resume();
        store.save(job.stored());
        return job.view();
    }

    private void requireOpen() {
        if (closing) {
            throw new BlockException(BlockError.ESHUTDOWN, "the volume is shutting down");
        }
    }

    /** Lets none begin, interrupts those that have not ended, and waits for them. */
    @Override
    public synchronized void close() {
        closing = true;
        BlockException ends =
                new BlockException(
                        BlockError.ESHUTDOWN, "the job was interrupted, as the service ends");
        for (Job job : jobs.values()) {
            if (job.requestEnd(JobState.INTERRUPTED, ends)) {
                store.save(job.stored());
            }
        }
        queue.clear();
        works.clear();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        while (threads > 0 && System.nanoTime() - deadline < 0) {
            try {
                wait(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
