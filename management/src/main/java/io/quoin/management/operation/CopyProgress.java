package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.tools.ProgressListener;

/**
 * Tells a job how far a copy of an image is. It cannot be paused: it runs on loops.
 *
 * <p>Threading: thread-safe.
 */
record CopyProgress(JobControl control) implements ProgressListener {
    static final String UNIT = "bytes";

    @Override
    public void progress(long doneBytes, long totalBytes) {
        control.progress(doneBytes, totalBytes);
    }

    @Override
    public boolean isStopped() {
        return control.isEnding();
    }
}
