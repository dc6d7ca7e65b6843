package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import org.jspecify.annotations.Nullable;

/**
 * A request of a striped file while its parts are under way; used again and again.
 *
 * <p>Threading: confined(loop).
 */
final class StripeOp {
    private @Nullable IoRequest request;
    private BlockError error = BlockError.OK;
    private int pending;
    private boolean isSplit;

    /** One that is held until {@link #ended} is called for that too. */
    void begin(IoRequest newRequest, boolean goesToSeveral) {
        request = newRequest;
        error = BlockError.OK;
        pending = 1;
        isSplit = goesToSeveral;
    }

    IoRequest request() {
        IoRequest present = request;
        if (present == null) {
            throw new AssertionError("striped request used after its end");
        }
        return present;
    }

    /** Whether several parts have a share in it. */
    boolean isSplit() {
        return isSplit;
    }

    void started() {
        pending++;
    }

    /** Whether that was the last; the first error stays. */
    boolean ended(BlockError how) {
        if (error.isOk()) {
            error = how;
        }
        pending--;
        return pending == 0;
    }

    BlockError error() {
        return error;
    }

    void clear() {
        request = null;
    }
}
