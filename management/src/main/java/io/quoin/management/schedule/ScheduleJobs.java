package io.quoin.management.schedule;

import io.quoin.management.job.JobView;
import org.jspecify.annotations.Nullable;

/**
 * The jobs that do what is due.
 *
 * <p>Threading: thread-safe. Called with the lock of {@link Schedules} held: must not wait for the
 * job.
 */
public interface ScheduleJobs {
    /**
     * Begins a run, which {@link Schedules#running} tells of.
     *
     * @throws io.quoin.block.BlockException if there can be no job now
     */
    JobView start(StoredSchedule schedule);

    /** The job of an earlier call, in this process or one before; null: nothing is known of it. */
    @Nullable JobView find(String id);
}
