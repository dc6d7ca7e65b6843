package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.charset.StandardCharsets;

/**
 * A snapshot of a disk, {@code DISK@SNAPSHOT}. No disk has an {@code @} in its name, so the first
 * one ends the disk's. Below it is the file {@code DISK.qcow2@SNAPSHOT}, so it is as long as a
 * file's name can be; another program's snapshot of a longer name goes by its id.
 *
 * <p>Threading: immutable.
 *
 * @param disk its name
 * @param snapshot name or id; what a new one may be called the image says
 */
public record SnapshotName(String disk, String snapshot) {
    static final char SEPARATOR = '@';

    /** What {@link #fileName} may have at most, as any name of a file. */
    private static final int FILE_NAME_BYTES_MAX = 255;

    /**
     * @throws BlockException EINVAL if it cannot be the name of one
     */
    public SnapshotName {
        DiskName.check(disk);
        if (!isLegal(disk, snapshot)) {
            throw illegal(disk + SEPARATOR + snapshot);
        }
    }

    /** Whether a name can be that of a snapshot. */
    public static boolean isLegal(String name) {
        int at = name.indexOf(SEPARATOR);
        return at > 0
                && DiskName.isLegal(name.substring(0, at))
                && isLegal(name.substring(0, at), name.substring(at + 1));
    }

    private static boolean isLegal(String disk, String snapshot) {
        String fileName = fileName(disk, snapshot);
        return !snapshot.isEmpty()
                && snapshot.indexOf('/') < 0
                && snapshot.indexOf('\0') < 0
                && fileName.getBytes(StandardCharsets.UTF_8).length <= FILE_NAME_BYTES_MAX;
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
        return fileName(disk, snapshot);
    }

    private static String fileName(String disk, String snapshot) {
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
                        + ", expected=DISK@SNAPSHOT, without a slash, DISK.qcow2@SNAPSHOT of at most "
                        + FILE_NAME_BYTES_MAX
                        + " bytes");
    }
}
