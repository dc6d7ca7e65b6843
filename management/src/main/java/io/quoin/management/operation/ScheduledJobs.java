package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobView;
import io.quoin.management.schedule.ScheduleJobs;
import io.quoin.management.schedule.StoredSchedule;
import org.jspecify.annotations.Nullable;

/**
 * Does what schedules ask for by jobs of their volume.
 *
 * <p>Threading: thread-safe.
 */
final class ScheduledJobs implements ScheduleJobs {
    private final ManagedVolume volume;

    ScheduledJobs(ManagedVolume volume) {
        this.volume = volume;
    }

    @Override
    public JobView start(StoredSchedule schedule) {
        ScheduleRun operation = new ScheduleRun();
        ScheduleRun.Request request = new ScheduleRun.Request(schedule.spec().name());
        return volume.jobs()
                .start(
                        operation.type().name(),
                        operation.subject(request),
                        ScheduledWork.unit(schedule.spec()),
                        Requests.fieldsOf(request),
                        control -> operation.work(request, volume, control));
    }

    @Override
    public @Nullable JobView find(String id) {
        try {
            return volume.jobs().show(id);
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT) {
                return null;
            }
            throw e;
        }
    }
}
