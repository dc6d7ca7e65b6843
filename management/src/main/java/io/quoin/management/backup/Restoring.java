package io.quoin.management.backup;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.BackupNames;
import io.quoin.backup.OpenBackup;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.DiskName;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Brings a backup back as a disk. It is written under a name of its own, {@code restoring-...}, and
 * gets its name, or the place of another disk, by one step when it is whole and durable.
 *
 * <p>Threading: confined to its thread.
 */
public final class Restoring {
    private static final int RANDOM_DIGITS = 12;

    private final DiskVolume disks;
    private final BackupEvents events;

    public Restoring(DiskVolume disks, BackupEvents events) {
        this.disks = disks;
        this.events = events;
    }

    /**
     * Refuses what cannot be restored to, before anything is done.
     *
     * @throws BlockException EEXIST for a new disk that is there
     */
    public static void requireNew(DiskVolume disks, String name) {
        DiskName.check(name);
        if (disks.list().stream().anyMatch(disk -> disk.name().equals(name))) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "disk already exists: name="
                            + name
                            + "; choose another name, or --over to replace it");
        }
    }

    /**
     * As {@link #requireNew}.
     *
     * @throws BlockException ENOENT without the disk, EBUSY while it is attached, disks stand on
     *     it, or it has snapshots, which would be lost
     */
    public static void requireReplaceable(DiskVolume disks, String name) {
        int users = disks.info(name).connections();
        if (users > 0) {
            throw busy(name, "connections=" + users + "; detach it first");
        }
        List<String> children = disks.children(name);
        if (!children.isEmpty()) {
            throw busy(name, "disks that stand on it=" + String.join(", ", children));
        }
        List<String> snapshots =
                disks.snapshots().of(name).stream()
                        .map(SnapshotView::name)
                        .filter(snapshot -> BackupNames.chainOf(snapshot).isEmpty())
                        .toList();
        if (!snapshots.isEmpty()) {
            throw busy(
                    name,
                    "snapshots, which would be lost="
                            + String.join(", ", snapshots)
                            + "; remove them first, or restore to a new disk with --as");
        }
    }

    private static BlockException busy(String name, String why) {
        return new BlockException(
                BlockError.EBUSY, "disk cannot be replaced: name=" + name + ", " + why);
    }

    /** Makes a new disk of a backup. */
    public void toNew(OpenBackup backup, String name) {
        requireNew(disks, name);
        restore(backup, unfinished -> disks.rename(unfinished, name));
    }

    /** Puts a backup in the place of a disk that nothing has attached. */
    public void over(OpenBackup backup, String name) {
        restore(
                backup,
                unfinished -> {
                    requireReplaceable(disks, name);
                    disks.replace(name, unfinished);
                });
    }

    /** Gives a whole disk its name. */
    private interface Placing {
        void place(String unfinished);
    }

    private void restore(OpenBackup backup, Placing placing) {
        String unfinished =
                "restoring-"
                        + UUID.randomUUID().toString().replace("-", "").substring(0, RANDOM_DIGITS);
        disks.create(unfinished, backup.disk().sizeBytes(), Map.of());
        try {
            try (Disk target = VolumeDisk.open(disks, unfinished)) {
                backup.copyTo(target, events);
            }
            placing.place(unfinished);
        } catch (RuntimeException | Error e) {
            try {
                disks.remove(unfinished);
            } catch (RuntimeException removing) {
                e.addSuppressed(removing);
            }
            throw e;
        }
    }
}
