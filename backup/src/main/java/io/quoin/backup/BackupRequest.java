package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import org.jspecify.annotations.Nullable;

/**
 * How a disk is backed up.
 *
 * <p>Threading: immutable.
 *
 * @param name of the backup
 * @param incremental whether what has not changed since the backup before is left out, where that
 *     is known; else the whole disk is copied
 * @param compressed whether data are stored compressed
 * @param linksMax an incremental backup is a full one where the chain has so many already
 * @param schedule id of the schedule that makes it; null: none does
 */
public record BackupRequest(
        String name,
        boolean incremental,
        boolean compressed,
        int linksMax,
        @Nullable String schedule) {
    /** Less than what qcow2 images are opened with, here and by QEMU. */
    public static final int LINKS_MAX = 128;

    public BackupRequest {
        BackupNames.check("backup", name);
        if (linksMax < 1 || linksMax > LINKS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backups of a chain: value=" + linksMax + ", expected=1 to " + LINKS_MAX);
        }
    }

    /** One that no schedule makes, in a chain as long as it may be. */
    public BackupRequest(String name, boolean incremental, boolean compressed) {
        this(name, incremental, compressed, LINKS_MAX, null);
    }
}
