package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.volume.CheckEvents;

/**
 * Tells a job how far its work is, and has that wait while the job is paused.
 *
 * <p>Threading: as {@link CheckEvents}.
 */
record JobEvents(JobControl control) implements CheckEvents {
    @Override
    public boolean progress(long done, long total) {
        control.progress(done, total);
        return !control.isEnding();
    }

    @Override
    public void finding(String text) {
        control.message(text);
    }

    @Override
    public boolean isPaused() {
        return control.isPaused();
    }

    @Override
    public void betweenPieces() {
        control.proceed();
    }
}
