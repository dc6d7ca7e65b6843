package io.quoin.management.operation;

import io.quoin.backup.BackupNames;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * The snapshots that backups leave on disks to go on from. They are known by their names, since the
 * volume does not know where its backups are.
 *
 * <p>Threading: immutable.
 */
final class BackupSnapshots {
    private BackupSnapshots() {}

    /**
     * @throws BlockException EBUSY for one that backups go on from
     */
    static void requireFree(String disk, String snapshot) {
        BackupNames.chainOf(snapshot)
                .ifPresent(
                        chain -> {
                            throw new BlockException(
                                    BlockError.EBUSY,
                                    "backups go on from the snapshot: name="
                                            + disk
                                            + '@'
                                            + snapshot
                                            + ", chain="
                                            + chain
                                            + "; the next backup removes it, and --break-chain of"
                                            + " 'quoin snapshot rm' does: then the next backup is a"
                                            + " full one");
                        });
    }

    /**
     * @throws BlockException EINVAL for a name that only backups give
     */
    static void requireUnreserved(String snapshot) {
        if (BackupNames.chainOf(snapshot).isPresent()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "name is kept for the snapshots of backups: name="
                            + snapshot
                            + ", expected=another one");
        }
    }
}
