package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import java.util.function.Consumer;

/**
 * Makes zeroing of what is written as zeros: of the whole write, or of those clusters of it that
 * are nothing but zeros. Data are recognised by their first bytes, and such a write goes on as it
 * is.
 *
 * <p>Threading: confined(loop).
 */
final class ZeroDetection {
    /** Smaller clusters are looked at together: every piece is a request of its own. */
    private static final long PIECE_BYTES_MIN = 16 << 10;

    /** A write that became several requests. */
    private static final class Parts {
        final IoRequest parent;
        int left = 1;
        BlockError error = BlockError.OK;

        Parts(IoRequest parent) {
            this.parent = parent;
        }
    }

    private final MappedImage image;
    private final Consumer<IoRequest> changes;
    private final int zeroFlags;
    private final long pieceBytes;
    private final IoCompletion whenPartDone = this::onPartDone;

    /**
     * @param changes starts a change
     * @param unmaps whether the clusters are given back
     */
    ZeroDetection(MappedImage image, Consumer<IoRequest> changes, boolean unmaps) {
        this.image = image;
        this.changes = changes;
        this.zeroFlags = unmaps ? IoFlags.MAY_UNMAP : IoFlags.NONE;
        this.pieceBytes = Math.max(PIECE_BYTES_MIN, image.clusterSizeBytes);
    }

    /** Starts a WRITE. */
    void start(IoRequest request) {
        long from = request.offsetBytes();
        long end = request.endBytes();
        if (from == end) {
            changes.accept(request);
            return;
        }
        boolean zero = isZero(request, from);
        long runEnd = runEnd(request, from, zero);
        if (runEnd == end && !zero) {
            changes.accept(request);
            return;
        }
        Parts parts = new Parts(request);
        while (from < end) {
            startPart(parts, zero, from, runEnd);
            from = runEnd;
            zero = !zero;
            runEnd = runEnd(request, from, zero);
        }
        partDone(parts, BlockError.OK);
    }

    /** The end of the pieces from {@code from} on that are zeros as well, or data as well. */
    private long runEnd(IoRequest request, long from, boolean zero) {
        long end = request.endBytes();
        long at = from;
        while (at < end && isZero(request, at) == zero) {
            at = pieceEnd(request, at);
        }
        return at;
    }

    private long pieceEnd(IoRequest request, long from) {
        return Math.min(request.endBytes(), (from & -pieceBytes) + pieceBytes);
    }

    private boolean isZero(IoRequest request, long from) {
        return request.memory()
                .isZero(from - request.offsetBytes(), pieceEnd(request, from) - from);
    }

    private void startPart(Parts parts, boolean zero, long from, long to) {
        IoRequest part =
                image.pool
                        .acquire()
                        .prepare(
                                zero ? IoOp.WRITE_ZEROES : IoOp.WRITE,
                                from,
                                to - from,
                                zero ? zeroFlags : IoFlags.NONE);
        if (!zero) {
            IoVector memory = parts.parent.memory();
            part.memory().addSlice(memory, from - parts.parent.offsetBytes(), to - from);
        }
        part.attachment(parts);
        part.push(whenPartDone);
        parts.left++;
        changes.accept(part);
    }

    private void onPartDone(IoRequest request, BlockError error) {
        Parts parts = (Parts) request.attachment();
        image.pool.release(request);
        if (parts != null) {
            partDone(parts, error);
        }
    }

    private void partDone(Parts parts, BlockError error) {
        if (parts.error.isOk()) {
            parts.error = error;
        }
        parts.left--;
        if (parts.left > 0) {
            return;
        }
        if (parts.error.isOk() && parts.parent.has(IoFlags.FUA)) {
            image.flusher.flush(parts.parent);
        } else {
            parts.parent.complete(parts.error);
        }
    }
}
