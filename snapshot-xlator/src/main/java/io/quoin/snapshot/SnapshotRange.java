package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * Two snapshots of a disk, {@code DISK@OLDER..NEWER}: the disk at the newer one, together with what
 * may differ there from the older. Which was made first does not matter, and they may be one. The
 * name means two snapshots even where another program has made one that is called so, which goes by
 * its id.
 *
 * <p>Threading: immutable.
 *
 * @param older what is compared with
 * @param newer what is read; of the same disk
 */
public record SnapshotRange(SnapshotName older, SnapshotName newer) {
    private static final String SEPARATOR = "..";

    /** Whether a name means two snapshots, legal or not. */
    public static boolean isOne(String name) {
        return SnapshotName.isOne(name)
                && name.indexOf(SEPARATOR, name.indexOf(SnapshotName.SEPARATOR)) >= 0;
    }

    /** Whether a name can be that of two snapshots. */
    public static boolean isLegal(String name) {
        if (!isOne(name)) {
            return false;
        }
        String[] names = split(name);
        return SnapshotName.isLegal(names[0]) && SnapshotName.isLegal(names[1]) && !isOne(names[1]);
    }

    /**
     * Reads {@code DISK@OLDER..NEWER}.
     *
     * @throws BlockException EINVAL for anything else
     */
    public static SnapshotRange of(String name) {
        if (!isLegal(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal name of two snapshots: name="
                            + DiskName.printable(name)
                            + ", expected=DISK@OLDER..NEWER, without another .. or a slash");
        }
        String[] names = split(name);
        return new SnapshotRange(SnapshotName.of(names[0]), SnapshotName.of(names[1]));
    }

    /** {@code DISK@OLDER} and {@code DISK@NEWER}. */
    private static String[] split(String name) {
        int at = name.indexOf(SnapshotName.SEPARATOR);
        int dots = name.indexOf(SEPARATOR, at);
        String disk = name.substring(0, at + 1);
        return new String[] {
            name.substring(0, dots), disk + name.substring(dots + SEPARATOR.length())
        };
    }

    /** Whether a snapshot is one of the two, by its name or id. */
    public boolean names(String disk, String nameOrId) {
        return older.disk().equals(disk)
                && (older.snapshot().equals(nameOrId) || newer.snapshot().equals(nameOrId));
    }

    /** {@code DISK@OLDER..NEWER}. */
    @Override
    public String toString() {
        return older + SEPARATOR + newer.snapshot();
    }
}
