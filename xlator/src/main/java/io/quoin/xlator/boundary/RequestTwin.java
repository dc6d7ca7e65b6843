package io.quoin.xlator.boundary;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoRequest;

/**
 * A request that stands for another below the boundary and is never used again. A frame beneath the
 * one that is due catches a second completion.
 *
 * <p>Threading: confined(loop).
 */
final class RequestTwin implements IoCompletion {
    private static final long DUE = 1;
    private static final long GUARD = 2;

    private final BoundaryFile boundary;
    private final IoRequest original;
    private final IoRequest twin = new IoRequest();

    RequestTwin(BoundaryFile boundary, IoRequest original) {
        this.boundary = boundary;
        this.original = original;
        twin.prepare(
                original.op(), original.offsetBytes(), original.lengthBytes(), original.flags());
        if (original.op().hasMemory()) {
            twin.memory().addSlice(original.memory(), 0, original.memory().lengthBytes());
        }
        ExtentList extents = original.extents();
        if (extents != null) {
            twin.extents(extents);
        }
        twin.push(this, GUARD);
        twin.push(this, DUE);
    }

    IoRequest request() {
        return twin;
    }

    @Override
    public void onComplete(IoRequest completed, BlockError error) {
        if (completed.token() == GUARD) {
            completed.push(this, GUARD);
            throw boundary.broken("request completed more than once");
        }
        boundary.onTwinComplete(completed, original, error);
    }
}
