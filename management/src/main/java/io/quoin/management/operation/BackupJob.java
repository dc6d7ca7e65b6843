package io.quoin.management.operation;

import io.quoin.backup.BackupEvents;
import io.quoin.management.job.JobControl;

/**
 * Tells a job how far work on backups is.
 *
 * <p>Threading: confined to the job's thread.
 *
 * @param doneBytes of the work before
 * @param totalBytes of all of it; 0: as the work itself says
 */
record BackupJob(JobControl control, long doneBytes, long totalBytes) implements BackupEvents {
    static final String UNIT = "bytes";

    BackupJob(JobControl control) {
        this(control, 0, 0);
    }

    @Override
    public void progress(long done, long total) {
        control.progress(doneBytes + done, totalBytes == 0 ? total : totalBytes);
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
