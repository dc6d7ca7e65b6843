package io.quoin.management.operation;

import io.quoin.backup.BackupRequest;
import io.quoin.backup.DiskOutcome;
import io.quoin.backup.Manifest;
import io.quoin.backup.Pruning;
import io.quoin.backup.Repository;
import io.quoin.backup.Retention;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.backup.VolumeCut;
import io.quoin.management.backup.VolumeDisk;
import io.quoin.management.job.JobControl;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Backs disks of a volume up, for a job.
 *
 * <p>Threading: confined to the job's thread.
 */
final class BackupWork {
    private final ManagedVolume volume;
    private final Repository repository;
    private final BackupJob events;

    /**
     * @param repository absolute path of the folder of the backups
     */
    BackupWork(ManagedVolume volume, String repository, JobControl control) {
        this.volume = volume;
        this.repository = new Repository(NameText.path(repository));
        this.events = new BackupJob(control);
    }

    /**
     * Refuses a folder that cannot be one of backups.
     *
     * @throws BlockException EINVAL
     */
    static void requireFolder(String repository, ManagedVolume volume) {
        Path folder = NameText.path(repository);
        Repository.requireAbsolute(folder);
        if (folder.normalize().startsWith(volume.folder().path())) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backup repository lies in the data folder, and would be lost with it: path="
                            + NameText.of(folder)
                            + ", data="
                            + volume.folder().text());
        }
    }

    /**
     * All as they are at one moment. One that cannot be copied keeps no other from its backup, and
     * is told at the end.
     */
    List<BackupView> create(List<String> disks, BackupRequest wanted) {
        List<VolumeDisk> sources =
                disks.stream().map(disk -> VolumeDisk.of(volume.disks(), disk)).toList();
        List<DiskOutcome> outcomes =
                repository.create(sources, new VolumeCut(volume.disks()), wanted, events);
        List<BackupView> made = new ArrayList<>();
        List<BlockException> failures = new ArrayList<>();
        for (DiskOutcome outcome : outcomes) {
            Manifest manifest = outcome.made();
            if (manifest != null) {
                made.add(BackupView.of(manifest, false, null));
            } else if (outcome.failure() != null) {
                failures.add(outcome.failure());
            }
        }
        if (failures.isEmpty()) {
            return made;
        }
        BlockException first = failures.get(0);
        throw disks.size() == 1
                ? first
                : new BlockException(
                        first.error(),
                        first.getMessage()
                                + "; backups made="
                                + made.size()
                                + ", failed="
                                + failures.size(),
                        first);
    }

    /**
     * Removes backups that a schedule has made and no rule keeps.
     *
     * @param schedule its id
     * @return as {@code DISK/NAME}
     */
    List<String> prune(List<String> disks, Retention retention, String schedule) {
        if (retention.keepsAll()) {
            return List.of();
        }
        List<String> removed = new ArrayList<>();
        for (String disk : disks) {
            repository
                    .prune(
                            disk,
                            new Pruning.Rule(retention, schedule),
                            name -> VolumeDisk.find(volume.disks(), name),
                            false,
                            events)
                    .stream()
                    .filter(decision -> !decision.kept())
                    .forEach(decision -> removed.add(disk + '/' + decision.name()));
        }
        return removed;
    }
}
