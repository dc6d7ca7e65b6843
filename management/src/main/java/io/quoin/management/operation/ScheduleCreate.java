package io.quoin.management.operation;

import io.quoin.backup.BackupRequest;
import io.quoin.backup.Retention;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.schedule.ScheduleSpec;
import io.quoin.management.schedule.ScheduleView;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code schedule.create}.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleCreate implements Operation<ScheduleCreate.Request, ScheduleView> {
    /** As clients see it. */
    public static final OperationType<Request, ScheduleView> TYPE =
            OperationType.of(
                    "schedule.create",
                    Kind.CHANGE,
                    "POST /v1/schedules",
                    "Make snapshots or backups at times that a cron expression says.",
                    Request.class,
                    ScheduleView.class);

    private static final String ZONE = "UTC";

    /**
     * What is done when. Without any number to keep, everything is kept.
     *
     * @param name of the schedule
     * @param cron when: minute, hour, day of the month, month, day of the week
     * @param zone whose clocks those are, as in Europe/Berlin; left out, UTC
     * @param disks their names; left out, those of {@code group}
     * @param group a group of disks that is kept
     * @param repository absolute path of the folder of the backups; left out, snapshots are made
     * @param incremental whether only what has changed since the last backup is copied
     * @param compress whether data of backups are stored compressed
     * @param fullEvery a full backup is made where a chain has so many; left out, 128
     * @param keepLast so many of the newest
     * @param keepHourly the newest of each of so many hours
     * @param keepDaily of days
     * @param keepWeekly of weeks
     * @param keepMonthly of months
     * @param keepYearly of years
     * @param catchUp whether what was missed is made up, once; left out, yes
     */
    public record Request(
            String name,
            String cron,
            @Nullable String zone,
            @Nullable List<String> disks,
            @Nullable String group,
            @Local @Nullable String repository,
            @Nullable Boolean incremental,
            @Nullable Boolean compress,
            @Nullable Long fullEvery,
            @Nullable Long keepLast,
            @Nullable Long keepHourly,
            @Nullable Long keepDaily,
            @Nullable Long keepWeekly,
            @Nullable Long keepMonthly,
            @Nullable Long keepYearly,
            @Nullable Boolean catchUp) {}

    @Override
    public OperationType<Request, ScheduleView> type() {
        return TYPE;
    }

    @Override
    public ScheduleView run(Request request, ManagedVolume volume) {
        ScheduleSpec spec = spec(request);
        DiskChoice.of(spec.disks(), spec.group(), volume)
                .forEach(disk -> volume.disks().requirePresent(disk));
        if (spec.repository() != null) {
            BackupWork.requireFolder(spec.repository(), volume);
        }
        return volume.schedules().create(spec);
    }

    private static ScheduleSpec spec(Request request) {
        return new ScheduleSpec(
                request.name(),
                request.cron(),
                request.zone() == null ? ZONE : request.zone(),
                request.disks(),
                request.group(),
                request.repository(),
                Boolean.TRUE.equals(request.incremental()),
                Boolean.TRUE.equals(request.compress()),
                fullEvery(request.fullEvery()),
                new Retention(
                        count(request.keepLast()),
                        count(request.keepHourly()),
                        count(request.keepDaily()),
                        count(request.keepWeekly()),
                        count(request.keepMonthly()),
                        count(request.keepYearly())),
                !Boolean.FALSE.equals(request.catchUp()));
    }

    private static int fullEvery(@Nullable Long value) {
        if (value == null) {
            return BackupRequest.LINKS_MAX;
        }
        if (value < 1 || value > BackupRequest.LINKS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backups of a chain: fullEvery="
                            + value
                            + ", expected=1 to "
                            + BackupRequest.LINKS_MAX);
        }
        return value.intValue();
    }

    private static long count(@Nullable Long value) {
        return value == null ? 0 : value;
    }
}
