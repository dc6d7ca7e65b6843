package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * What size a disk may be given: whole sectors, since guests see no part of one.
 *
 * <p>Threading: immutable.
 */
final class DiskSize {
    private static final int SECTOR_BYTES = 512;

    private DiskSize() {}

    static void check(long sizeBytes) {
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal disk size: size="
                            + sizeBytes
                            + ", expected=a multiple of "
                            + SECTOR_BYTES
                            + " bytes, at least "
                            + SECTOR_BYTES);
        }
    }
}
