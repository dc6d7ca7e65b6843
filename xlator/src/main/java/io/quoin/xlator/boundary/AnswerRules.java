package io.quoin.xlator.boundary;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import org.jspecify.annotations.Nullable;

/**
 * What the extents that a file reports must be: from the start of the range, not beyond its end,
 * with known status bits. These checks cost time in proportion to the answer.
 *
 * <p>Threading: immutable.
 */
final class AnswerRules {
    private static final int STATUS_BITS = BlockStatus.HOLE | BlockStatus.ZERO;

    private AnswerRules() {}

    /** Null, or what is wrong with the answer. */
    static @Nullable String check(IoRequest request, BlockError error) {
        ExtentList extents = request.extents();
        if (!error.isOk() || extents == null) {
            return null;
        }
        if (request.op() == IoOp.BLOCK_STATUS) {
            return checkStatus(request, extents);
        }
        return request.has(IoFlags.SPARSE) ? checkSparse(request, extents) : null;
    }

    private static @Nullable String checkStatus(IoRequest request, ExtentList extents) {
        if (extents.count() == 0) {
            return "block status reports nothing";
        }
        if (extents.lengthBytes() > request.lengthBytes()) {
            return "block status reports more than the range";
        }
        return checkBits(extents);
    }

    private static @Nullable String checkSparse(IoRequest request, ExtentList extents) {
        if (extents.count() != 0 && extents.lengthBytes() != request.lengthBytes()) {
            return "sparse read reports another range";
        }
        return checkBits(extents);
    }

    private static @Nullable String checkBits(ExtentList extents) {
        for (int i = 0; i < extents.count(); i++) {
            if ((extents.status(i) & ~STATUS_BITS) != 0) {
                return "an extent has unknown status bits";
            }
        }
        return null;
    }
}
