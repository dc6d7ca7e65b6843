package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import java.util.function.Consumer;

/**
 * What of a disk at a snapshot may differ from another snapshot of it: an extension of files that
 * are opened as {@code DISK@OLDER..NEWER}.
 *
 * <p>Threading: confined(loop).
 */
public interface DiskDifferences {
    /** The bytes are those of the older snapshot. */
    int EQUAL = 0;

    /** The bytes may differ. */
    int DIFFERS = 1;

    /**
     * Tells which bytes of a range may differ, by extents of {@link #EQUAL} and {@link #DIFFERS},
     * from its start on as far as is known by then: at least one extent, none beyond the range.
     *
     * @param offsetBytes in the disk
     * @param lengthBytes more than 0
     * @param target empty
     * @param ended called last, on the loop, now or later: EIO for a mapping that cannot be read
     */
    void report(long offsetBytes, long lengthBytes, ExtentList target, Consumer<BlockError> ended);
}
