package io.quoin.management.operation;

import io.quoin.backup.BackupEvents;
import io.quoin.management.job.JobControl;

/**
 * Tells a job how far work on backups is.
 *
 * <p>Threading: confined to the job's thread.
 */
record BackupJob(JobControl control) implements BackupEvents {
    static final String UNIT = "bytes";

    @Override
    public void progress(long done, long total) {
        control.progress(done, total);
    }

    @Override
    public void message(String text) {
        control.message(text);
    }

    @Override
    public boolean isEnding() {
        return control.isEnding();
    }

    @Override
    public boolean proceed() {
        return control.proceed();
    }
}
