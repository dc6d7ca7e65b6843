package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What work on backups has left: files of what has no manifest, and snapshots on the disk that no
 * backup goes on from. One snapshot stays, that of the last backup.
 *
 * <p>Threading: confined to the holder of the folder's lock.
 */
final class Leftovers {
    private final DiskFolder folder;
    private final @Nullable BackedDisk disk;
    private final BackupEvents events;

    /**
     * @param disk null: there is none any more, and what is known of its snapshots stays
     */
    Leftovers(DiskFolder folder, @Nullable BackedDisk disk, BackupEvents events) {
        this.folder = folder;
        this.disk = disk;
        this.events = events;
    }

    /**
     * Removes them. A snapshot that cannot be removed now is told of, and tried again next time.
     */
    void remove() {
        folder.removeUnfinished();
        List<Pending> pending = folder.pending();
        for (Pending each : pending) {
            if (!folder.has(folder.manifest(each.name()))) {
                folder.files().remove(folder.partial(each.name()));
                folder.files().remove(folder.data(each.name()));
                folder.files().remove(folder.protection(each.name()));
            }
        }
        if (disk == null) {
            return;
        }
        Set<String> left = removeSnapshots(disk, pending);
        for (Pending each : pending) {
            if (!left.contains(each.snapshot().uuid())) {
                folder.files().remove(folder.pending(each.name()));
            }
        }
    }

    /** Returns the UUIDs of those that are still there. */
    private Set<String> removeSnapshots(BackedDisk present, List<Pending> pending) {
        String kept = null;
        Set<String> uuids = new HashSet<>();
        Set<String> chains = new HashSet<>();
        for (Backup backup : folder.backups()) {
            Manifest manifest = backup.manifest();
            if (manifest != null) {
                kept = manifest.snapshot().uuid();
                uuids.add(kept);
                chains.add(manifest.chain());
            }
        }
        pending.forEach(each -> uuids.add(each.snapshot().uuid()));
        Set<String> left = new HashSet<>();
        for (BackedDisk.Point point : present.snapshots()) {
            String uuid = point.uuid();
            boolean isOurs =
                    uuids.contains(uuid)
                            || BackupNames.chainOf(point.name())
                                    .map(chains::contains)
                                    .orElse(false);
            if (uuid != null && isOurs && !uuid.equals(kept) && !isRemoved(present, point)) {
                left.add(uuid);
            }
        }
        return left;
    }

    private boolean isRemoved(BackedDisk present, BackedDisk.Point point) {
        try {
            present.removeSnapshot(point.name(), events);
            return true;
        } catch (BlockException e) {
            if (e.error() == BlockError.ESHUTDOWN) {
                throw e;
            }
            events.message(
                    "snapshot of an earlier backup stays until the next one: snapshot="
                            + present.name()
                            + '@'
                            + point.name()
                            + ", reason="
                            + e.getMessage());
            return false;
        }
    }
}
