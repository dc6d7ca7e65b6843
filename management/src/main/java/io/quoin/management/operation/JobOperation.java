package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.job.JobWork;
import io.quoin.management.job.StoredJob;
import java.util.Optional;

/**
 * An operation whose work takes its time: it answers with a job, and the work is done on a thread
 * of the job, whether the client stays or not.
 *
 * <p>Threading: thread-safe; may block.
 *
 * @param <Q> the request
 * @param <J> what the job's result holds when it is done
 */
interface JobOperation<Q extends Record, J extends Record> extends Operation<Q, JobView> {
    /** What it works on, as the name of a disk. */
    String subject(Q request);

    /** What its progress counts. */
    String unit();

    /** Fails for a request that cannot be carried out, before a job is made of it. */
    default void check(Q request, ManagedVolume volume) {}

    /**
     * What is kept with the job, as far as the request is not enough to go on by in another
     * process.
     */
    default Q noted(Q request, ManagedVolume volume) {
        return request;
    }

    /**
     * The work.
     *
     * @throws io.quoin.block.BlockException if it fails, and soon once the job is to end
     */
    J work(Q request, ManagedVolume volume, JobControl control);

    /** Whether it waits between pieces of its work while the job is paused. */
    default boolean isPausable() {
        return true;
    }

    /** Whether it can go on in another process, by finding out what is done. */
    default boolean isResumable() {
        return false;
    }

    @Override
    default JobView run(Q request, ManagedVolume volume) {
        check(request, volume);
        Q noted = noted(request, volume);
        return volume.shown(
                volume.jobs()
                        .start(
                                type().name(),
                                subject(request),
                                unit(),
                                Requests.fieldsOf(noted),
                                control -> work(noted, volume, control)));
    }

    /** The work of a job that did not end in the process before; empty if it cannot go on. */
    default Optional<JobWork> resume(StoredJob stored, ManagedVolume volume) {
        if (!isResumable()) {
            return Optional.empty();
        }
        Q request = Requests.read(Requests.treeOf(stored.request()), type().request());
        return Optional.of(control -> work(request, volume, control));
    }
}
