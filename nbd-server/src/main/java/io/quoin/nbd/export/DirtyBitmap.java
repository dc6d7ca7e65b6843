package io.quoin.nbd.export;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import java.util.function.Consumer;

/**
 * What of an export may differ from an older state of it, for clients that read only that.
 *
 * <p>Threading: confined(loop), that of the export.
 */
@FunctionalInterface
public interface DirtyBitmap {
    /**
     * Tells which bytes of a range are dirty, by extents of 0 and 1, from its start on as far as it
     * likes: at least one extent, none beyond the range.
     *
     * @param offsetBytes in the export
     * @param lengthBytes more than 0
     * @param target empty
     * @param ended called last, on the loop, now or later
     */
    void status(long offsetBytes, long lengthBytes, ExtentList target, Consumer<BlockError> ended);
}
