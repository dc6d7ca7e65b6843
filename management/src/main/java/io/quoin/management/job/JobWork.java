package io.quoin.management.job;

/**
 * The work of a job.
 *
 * <p>Threading: called once, on a thread of its own.
 */
@FunctionalInterface
public interface JobWork {
    /**
     * Does it.
     *
     * @return the result
     * @throws io.quoin.block.BlockException if there is none
     */
    Record run(JobControl control);
}
