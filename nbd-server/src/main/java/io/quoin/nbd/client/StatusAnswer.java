package io.quoin.nbd.client;

import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoRequest;
import java.util.Objects;

/**
 * Puts what a server tells of extents into a request's list. The last extent may run over the end
 * of the request, and what does not fit is asked for again. Not every server ends extents at its
 * own blocks, but a caller that asks again from the end of the list must: a block that several
 * extents share has what all of them have in common, and one that is not described to its end is
 * left out.
 *
 * <p>Threading: confined(loop).
 */
final class StatusAnswer {
    private final int blockBytes;
    private ExtentList list = new ExtentList(1);
    private long leftBytes;
    private boolean isFull;

    /** Of the last block, as far as it is described. */
    private long partBytes;

    private int partStatus;

    StatusAnswer(int blockBytes) {
        this.blockBytes = blockBytes;
    }

    /** Where the description of the request's range begins. */
    void begin(IoRequest request) {
        list = Objects.requireNonNull(request.extents(), "status without a list");
        leftBytes = request.lengthBytes();
        isFull = false;
        partBytes = 0;
    }

    /** The next extent; at least a byte. */
    void add(long lengthBytes, int status) {
        long extentBytes = Math.min(lengthBytes, leftBytes);
        leftBytes -= extentBytes;
        if (partBytes > 0) {
            long fill = Math.min(blockBytes - partBytes, extentBytes);
            partBytes += fill;
            partStatus &= status;
            extentBytes -= fill;
            if (partBytes < blockBytes) {
                return;
            }
            put(blockBytes, partStatus);
        }
        long whole = extentBytes & -blockBytes;
        put(whole, status);
        partBytes = extentBytes - whole;
        partStatus = status;
    }

    private void put(long lengthBytes, int status) {
        if (lengthBytes > 0 && !isFull) {
            isFull = !list.add(lengthBytes, status);
        }
    }

    /** Less than a block counts as data, since there is no way to ask for the rest of it. */
    void end() {
        if (list.count() == 0 && partBytes > 0) {
            list.add(blockBytes, BlockStatus.DATA);
        }
    }
}
