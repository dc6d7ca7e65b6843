package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.snapshot.DiskName;

/**
 * What a volume may be called: as a disk, of at most 64 characters. The volume that lies in the
 * data folder itself has a name that no other can have.
 *
 * <p>Threading: immutable.
 */
public final class VolumeName {
    /** Of the volume in the data folder itself. */
    public static final String DEFAULT = "default";

    private static final int LENGTH_MAX = 64;

    private VolumeName() {}

    /**
     * Returns {@code name}.
     *
     * @throws BlockException EINVAL if no new volume can have it
     */
    static String check(String name) {
        boolean isReserved = name.equals(DEFAULT) || name.equals("all");
        if (isReserved || name.length() > LENGTH_MAX || !DiskName.isLegal(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal volume name: name="
                            + name
                            + ", expected=1 to "
                            + LENGTH_MAX
                            + " characters out of A-Z a-z 0-9 . _ -, not starting with . or -,"
                            + " and neither default nor all");
        }
        return name;
    }
}
