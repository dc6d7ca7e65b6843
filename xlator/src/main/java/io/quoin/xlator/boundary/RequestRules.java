package io.quoin.xlator.boundary;

import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.XlatorFile;

/**
 * What a request must be for a given file. All of it is known when the file is opened, except the
 * size: the last size seen is kept and asked for again only by a range that does not fit into it.
 *
 * <p>Threading: confined(loop).
 */
final class RequestRules {
    private final XlatorFile below;
    private final Capabilities capabilities;
    private final long unitMask;
    private final int transferBytesMax;
    private long knownSizeBytes;

    RequestRules(XlatorFile below) {
        Geometry geometry = below.geometry();
        this.below = below;
        this.capabilities = below.capabilities();
        this.unitMask = geometry.blockSizeMin() - 1L;
        this.transferBytesMax = geometry.transferBytesMax();
        this.knownSizeBytes = geometry.sizeBytes();
    }

    Capabilities capabilities() {
        return capabilities;
    }

    /** To be called before and after a resize: the size may have become smaller. */
    void forgetSize() {
        knownSizeBytes = 0;
    }

    /** OK, or what the request is to be refused with. */
    BlockError check(IoRequest request) {
        IoOp op = request.op();
        if (!IoFlags.isLegal(op, request.flags())) {
            return BlockError.EINVAL;
        }
        if (op.changesData()) {
            BlockError error = checkChange(op, request);
            if (!error.isOk()) {
                return error;
            }
        }
        BlockError error = checkRange(op, request.offsetBytes(), request.lengthBytes());
        return error.isOk() ? checkCarried(op, request) : error;
    }

    private BlockError checkChange(IoOp op, IoRequest request) {
        if (!capabilities.canWrite()) {
            return BlockError.EPERM;
        }
        boolean canFua = capabilities.canFua() || !request.has(IoFlags.FUA);
        boolean canFastZero = capabilities.canFastZero() || !request.has(IoFlags.FAST_ZERO);
        boolean canDiscard = capabilities.canDiscard() || op != IoOp.DISCARD;
        boolean canCompress = capabilities.canWriteCompressed() || !request.has(IoFlags.COMPRESSED);
        return canFua && canFastZero && canDiscard && canCompress
                ? BlockError.OK
                : BlockError.ENOTSUP;
    }

    private BlockError checkRange(IoOp op, long offsetBytes, long lengthBytes) {
        if (op == IoOp.FLUSH) {
            return (offsetBytes | lengthBytes) == 0 ? BlockError.OK : BlockError.EINVAL;
        }
        if ((offsetBytes | lengthBytes) < 0 || ((offsetBytes | lengthBytes) & unitMask) != 0) {
            return BlockError.EINVAL;
        }
        long endBytes = offsetBytes + lengthBytes;
        return endBytes < 0 || endBytes > knownSizeBytes ? checkEnd(op, endBytes) : BlockError.OK;
    }

    private BlockError checkEnd(IoOp op, long endBytes) {
        if (endBytes < 0) {
            return BlockError.EINVAL;
        }
        knownSizeBytes = below.geometry().sizeBytes();
        if (endBytes <= knownSizeBytes) {
            return BlockError.OK;
        }
        if (op != IoOp.WRITE && op != IoOp.WRITE_ZEROES) {
            return BlockError.EINVAL;
        }
        return capabilities.canGrow() ? BlockError.OK : BlockError.ENOSPC;
    }

    private BlockError checkCarried(IoOp op, IoRequest request) {
        long lengthBytes = request.lengthBytes();
        boolean isMemoryRight =
                op.hasMemory()
                        ? request.memory().lengthBytes() == lengthBytes
                                && lengthBytes <= transferBytesMax
                        : request.memory().lengthBytes() == 0;
        boolean reports = op == IoOp.BLOCK_STATUS || request.has(IoFlags.SPARSE);
        boolean areExtentsRight = !reports || isEmptyList(request);
        return isMemoryRight && areExtentsRight ? BlockError.OK : BlockError.EINVAL;
    }

    private static boolean isEmptyList(IoRequest request) {
        var extents = request.extents();
        return extents != null && extents.count() == 0;
    }
}
