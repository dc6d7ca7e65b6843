package io.quoin.backup;

import io.quoin.block.disk.Disk;

/**
 * A backup that is open to be read, as the disk that it is of.
 *
 * <p>Threading: confined to its thread.
 */
public final class OpenBackup implements AutoCloseable {
    private final ImageDisk image;

    OpenBackup(ImageDisk image) {
        this.image = image;
    }

    public Disk disk() {
        return image.disk();
    }

    /**
     * Copies all of it to a disk that reads as zeros, and makes that durable.
     *
     * @param target as large as the backup
     */
    public void copyTo(Disk target, BackupEvents events) {
        BlockCopy copy = new BlockCopy(disk(), target, false, false, events);
        WholeDisk.copy(disk(), copy);
        target.flush();
    }

    @Override
    public void close() {
        image.close();
    }
}
