package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes a backup of each of several disks, all as they were at one moment. The records of all are
 * durable before the moment; then one disk after the other is copied, and one that fails keeps no
 * other from its backup. Each is a backup by itself, whose manifest says which belong together.
 *
 * <p>Threading: confined to the holder of the locks of the folders.
 */
final class GroupBackup {
    private final List<BackupCreation> disks;
    private final SnapshotCut cut;
    private final BackupEvents events;

    /**
     * @param disks one of each; they hear the same events
     */
    GroupBackup(List<BackupCreation> disks, SnapshotCut cut, BackupEvents events) {
        this.disks = disks;
        this.cut = cut;
        this.events = events;
    }

    /**
     * Makes them.
     *
     * @throws BlockException if there was no such moment, or the work was ended: then what is not
     *     finished is undone
     */
    List<DiskOutcome> run() {
        Instant at = cutAll();
        Manifest.@Nullable Group group =
                disks.size() == 1
                        ? null
                        : new Manifest.Group(
                                UUID.randomUUID().toString(),
                                disks.stream().map(BackupCreation::disk).toList());
        List<DiskOutcome> outcomes = new ArrayList<>();
        for (int i = 0; i < disks.size(); i++) {
            BackupCreation each = disks.get(i);
            try {
                outcomes.add(new DiskOutcome(each.disk(), each.finish(at, group), null));
            } catch (BlockException e) {
                if (e.error() == BlockError.ESHUTDOWN) {
                    undo(disks.subList(i + 1, disks.size()), e);
                    throw e;
                }
                events.message(each.disk() + ": not backed up: " + e.getMessage());
                outcomes.add(new DiskOutcome(each.disk(), null, e));
            } catch (RuntimeException | Error e) {
                undo(disks.subList(i + 1, disks.size()), e);
                throw e;
            }
        }
        return outcomes;
    }

    /** Tells when; nothing is left if there was no such moment. */
    private Instant cutAll() {
        List<BackupCreation> begun = new ArrayList<>();
        try {
            List<SnapshotCut.Wanted> wanted = new ArrayList<>();
            for (BackupCreation each : disks) {
                begun.add(each);
                wanted.add(each.begin());
                events.checkpoint();
            }
            Instant at = Instant.now();
            cut.create(wanted, events);
            return at;
        } catch (RuntimeException | Error e) {
            undo(begun, e);
            throw e;
        }
    }

    private static void undo(List<BackupCreation> some, Throwable failure) {
        some.forEach(each -> each.undo(failure));
    }
}
