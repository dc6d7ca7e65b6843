package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder with the backups of disks, those of each in a folder of its name. Methods wait, and
 * throw {@link BlockException}.
 *
 * <p>Threading: thread-safe; of the changes of one disk's backups one goes on at a time, and others
 * are refused with EBUSY.
 */
public final class Repository {
    private final Path path;
    private final RepositoryFiles files;

    /**
     * @param path absolute
     */
    public Repository(Path path) {
        this(path, RepositoryFiles.DURABLE);
    }

    Repository(Path path, RepositoryFiles files) {
        requireAbsolute(path);
        this.path = path.normalize();
        this.files = files;
    }

    /**
     * Refuses a path that depends on a working folder.
     *
     * @throws BlockException EINVAL
     */
    public static void requireAbsolute(Path path) {
        if (!path.isAbsolute()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "folder of a backup repository: path="
                            + NameText.of(path)
                            + ", expected=an absolute path");
        }
    }

    /**
     * All backups, by disk, the oldest first.
     *
     * @throws BlockException ENOENT without such a folder
     */
    public List<Backup> list() {
        List<Backup> all = new ArrayList<>();
        disks().forEach(disk -> all.addAll(folder(disk).backups()));
        return all;
    }

    /** The disks that there are backups of, or were. */
    List<String> disks() {
        if (!Files.isDirectory(path)) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "no backup repository: path="
                            + NameText.of(path)
                            + ", expected=a folder that 'quoin backup create' has made");
        }
        try (Stream<Path> all = Files.list(path)) {
            return all.filter(Files::isDirectory)
                    .map(NameText::lastOf)
                    .filter(BackupNames::isLegal)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw Reason.failure("backup repository cannot be read", NameText.of(path), e);
        }
    }

    DiskFolder folder(String disk) {
        BackupNames.check("disk", disk);
        return new DiskFolder(path.resolve(disk), disk, files);
    }

    /**
     * Makes a backup of each of several disks, all as they were at one moment.
     *
     * @param disks each once
     * @param cut makes the moment
     * @return in the order of the disks: one that cannot be copied keeps no other from its backup
     * @throws BlockException with no backup made, if there was no such moment; ESHUTDOWN if the
     *     work was ended, with those made that were whole by then
     */
    public List<DiskOutcome> create(
            List<? extends BackedDisk> disks,
            SnapshotCut cut,
            BackupRequest request,
            BackupEvents events) {
        List<BackupCreation> creations = new ArrayList<>();
        List<FolderLock> locks = new ArrayList<>();
        PartedEvents parted =
                new PartedEvents(events, disks.stream().mapToLong(BackedDisk::sizeBytes).toArray());
        try {
            for (BackedDisk disk : disks) {
                DiskFolder folder = folder(disk.name());
                files.makeFolder(folder.path());
                locks.add(folder.lock());
                creations.add(
                        new BackupCreation(folder, disk, request, parted.part(creations.size())));
            }
            return new GroupBackup(creations, cut, events).run();
        } finally {
            locks.forEach(FolderLock::close);
        }
    }

    /**
     * Reads all that belongs to backups.
     *
     * @param disk null: those of all disks
     * @param name null: all
     * @return a line for each fault; none: all is as it was written
     * @throws BlockException ENOENT if there is no such backup
     */
    public Verification.Result verify(
            @Nullable String disk, @Nullable String name, BackupEvents events) {
        return new Verification(events).run(chosen(disk, name));
    }

    private List<DiskFolder.Chosen> chosen(@Nullable String disk, @Nullable String name) {
        List<DiskFolder.Chosen> chosen = new ArrayList<>();
        for (String each : disk == null ? disks() : List.of(disk)) {
            DiskFolder folder = existing(each);
            List<Backup> backups =
                    folder.backups().stream()
                            .filter(backup -> name == null || backup.name().equals(name))
                            .toList();
            if (!backups.isEmpty()) {
                chosen.add(new DiskFolder.Chosen(folder, backups));
            }
        }
        if (name != null && chosen.isEmpty()) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "no such backup: name="
                            + NameText.printable(name)
                            + ", repository="
                            + NameText.of(path));
        }
        return chosen;
    }

    private DiskFolder existing(String disk) {
        if (!disks().contains(disk)) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "no backups of the disk: disk="
                            + NameText.printable(disk)
                            + ", repository="
                            + NameText.of(path));
        }
        return folder(disk);
    }

    /**
     * The one backup of a name.
     *
     * @param disk null: there has to be one disk with such a backup
     * @throws BlockException ENOENT without one, EINVAL if several disks have one
     */
    public Backup find(@Nullable String disk, String name) {
        List<DiskFolder.Chosen> chosen = chosen(disk, name);
        if (chosen.size() > 1) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backup is of several disks: name="
                            + name
                            + ", disks="
                            + String.join(
                                    ", ",
                                    chosen.stream().map(each -> each.folder().disk()).toList())
                            + "; choose one with --disk");
        }
        return chosen.get(0).backups().get(0);
    }

    /**
     * Has a backup stay, whatever the retention, or not.
     *
     * @throws BlockException ENOENT if there is no such backup
     */
    public void protect(Backup backup, boolean wanted) {
        DiskFolder folder = existing(backup.disk());
        Path protection = folder.protection(backup.name());
        folder.changing(
                () -> {
                    folder.backup(backup.name());
                    if (wanted) {
                        files.put(protection, new byte[0]);
                    } else {
                        files.remove(protection);
                    }
                    return backup;
                });
    }

    /**
     * Opens a backup to be read, once its files and those that it stands on are verified.
     *
     * @throws BlockException EIO if one is damaged
     */
    public OpenBackup open(Backup backup, BackupEvents events) {
        DiskFolder folder = existing(backup.disk());
        List<Backup> chain = new Chains(folder.backups()).of(folder.backup(backup.name()));
        Verification verification = new Verification(events);
        Verification.Result result =
                verification.run(List.of(new DiskFolder.Chosen(folder, chain)));
        if (!result.faults().isEmpty()) {
            throw new BlockException(BlockError.EIO, String.join("; ", result.faults()));
        }
        return new OpenBackup(ImageDisk.open(folder.data(backup.name())));
    }

    /**
     * Removes backups by a retention, and what unfinished work has left.
     *
     * @param disk null: those of all disks
     * @param rule which of them go
     * @param disks finds a disk of the volume by its name
     * @param isDry changes nothing
     * @return what would go, or went, and what stays
     */
    public List<Pruning.Decision> prune(
            @Nullable String disk,
            Pruning.Rule rule,
            Pruning.Disks disks,
            boolean isDry,
            BackupEvents events) {
        List<Pruning.Decision> decisions = new ArrayList<>();
        for (String each : disk == null ? disks() : List.of(disk)) {
            DiskFolder folder = existing(each);
            if (isDry) {
                decisions.addAll(Pruning.decide(folder.backups(), rule));
            } else {
                decisions.addAll(
                        folder.changing(
                                () -> new Pruning(folder, disks.find(each), events).run(rule)));
            }
            events.checkpoint();
        }
        return decisions;
    }
}
