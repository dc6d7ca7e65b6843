package io.quoin.management.schedule;

import io.quoin.backup.BackupRequest;
import io.quoin.backup.Repository;
import io.quoin.backup.Retention;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a schedule does, and when.
 *
 * <p>Threading: immutable.
 *
 * @param name of the schedule, with which the names of what it makes begin
 * @param cron when, in five fields
 * @param zone whose clocks those are
 * @param disks what is snapshotted or backed up; null: those of {@code group}
 * @param group disks that are kept under a name; those that are in it when a run begins
 * @param repository absolute path of the folder of backups; null: snapshots are made
 * @param incremental whether backups leave out what has not changed
 * @param compress whether data of backups are stored compressed
 * @param fullEvery an incremental backup is a full one where a chain has so many
 * @param retention how many are kept of what the schedule has made
 * @param catchUp whether what was missed is made up, once
 */
public record ScheduleSpec(
        String name,
        String cron,
        String zone,
        @Nullable List<String> disks,
        @Nullable String group,
        @Nullable String repository,
        boolean incremental,
        boolean compress,
        int fullEvery,
        Retention retention,
        boolean catchUp) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]{0,99}");

    /**
     * @throws BlockException EINVAL, saying what is wrong
     */
    public ScheduleSpec {
        checkName(name);
        if (repository != null) {
            Repository.requireAbsolute(NameText.path(repository));
        } else if (incremental || compress) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "schedule of snapshots: incremental="
                            + incremental
                            + ", compress="
                            + compress
                            + ", expected=false, as both are for backups");
        }
        if (fullEvery < 1 || fullEvery > BackupRequest.LINKS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backups of a chain: fullEvery="
                            + fullEvery
                            + ", expected=1 to "
                            + BackupRequest.LINKS_MAX);
        }
    }

    static void checkName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal name of a schedule: name="
                            + NameText.printable(name)
                            + ", expected=1 to 100 characters out of A-Z a-z 0-9 _ -, not starting"
                            + " with -");
        }
    }
}
