package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * A snapshot of a disk, {@code DISK@SNAPSHOT}. No disk has an {@code @} in its name, so the first
 * one ends the disk's.
 *
 * <p>Threading: immutable.
 *
 * @param disk its name
 * @param snapshot name or id; what a new one may be called the image says
 */
public record SnapshotName(String disk, String snapshot) {
    private static final char SEPARATOR = '@';

    /**
     * @throws BlockException EINVAL if no disk can have that name, or without a snapshot's
     */
    public SnapshotName {
        DiskName.check(disk);
        if (snapshot.isEmpty()) {
            throw illegal(disk + SEPARATOR);
        }
    }

    /** Whether a name means a snapshot, legal or not, and no disk. */
    public static boolean isOne(String name) {
        return name.indexOf(SEPARATOR) >= 0;
    }

    /**
     * Reads {@code DISK@SNAPSHOT}.
     *
     * @throws BlockException EINVAL for anything else
     */
    public static SnapshotName of(String name) {
        int at = name.indexOf(SEPARATOR);
        if (at < 0) {
            throw illegal(name);
        }
        return new SnapshotName(name.substring(0, at), name.substring(at + 1));
    }

    /** The image file and its snapshot, as features/qcow2 names them. */
    String fileName() {
        return DiskFormat.QCOW2.fileName(disk) + SEPARATOR + snapshot;
    }

    /** {@code DISK@SNAPSHOT}. */
    @Override
    public String toString() {
        return disk + SEPARATOR + snapshot;
    }

    private static BlockException illegal(String name) {
        return new BlockException(
                BlockError.EINVAL,
                "illegal snapshot name: name="
                        + DiskName.printable(name)
                        + ", expected=DISK@SNAPSHOT");
    }
}
