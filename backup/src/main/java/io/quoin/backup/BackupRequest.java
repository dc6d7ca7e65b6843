package io.quoin.backup;

/**
 * How a disk is backed up.
 *
 * <p>Threading: immutable.
 *
 * @param name of the backup
 * @param incremental whether what has not changed since the backup before is left out, where that
 *     is known; else the whole disk is copied
 * @param compressed whether data are stored compressed
 */
public record BackupRequest(String name, boolean incremental, boolean compressed) {
    public BackupRequest {
        BackupNames.check("backup", name);
    }
}
