package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.volume.CheckEvents;

/**
 * Tells a job how far work on a snapshot is. That work cannot be paused: it has guests' writes wait
 * for room, or the disk.
 *
 * <p>Threading: confined to the job's thread.
 */
record SnapshotJob(JobControl control) implements CheckEvents {
    /** Pieces of work of unlike size. */
    static final String UNIT = "steps";

    @Override
    public boolean progress(long done, long total) {
        control.progress(done, total);
        return !control.isEnding();
    }

    @Override
    public void finding(String text) {
        control.message(text);
    }
}
