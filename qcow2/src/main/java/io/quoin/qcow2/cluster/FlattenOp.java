package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.ClusterKind;
import java.util.function.Consumer;

/**
 * Copies into the image what it reads from its backing file, in the range of a WRITE whose memory
 * it fills: only clusters, or subclusters, that are unallocated and not all zeros. The range is
 * whole clusters, or ends with the disk.
 *
 * <p>It has its range alone from before it reads until the entries are changed in memory, so what a
 * guest writes meanwhile comes before or after, and is never overwritten by what was there before
 * it. What is zero behind is left as it is: it reads as zeros without a backing file too.
 *
 * <p>Threading: confined(loop).
 */
final class FlattenOp extends ChangeOp {
    private final Consumer<FlattenOp> ended;
    private final Outcome whenRead = this::onRead;
    private long start;

    /** What the memory has, in guest offsets. */
    private long readStart;

    private long readEnd;
    private long allocatedFrom;
    private long copiedBytes;

    FlattenOp(MappedImage image, Consumer<FlattenOp> ended) {
        super(image);
        this.ended = ended;
    }

    /** Bytes that have got a place of their own. */
    long copiedBytes() {
        return copiedBytes;
    }

    @Override
    protected void prepare(IoRequest request) {
        super.prepare(request);
        start = position;
        readStart = position;
        readEnd = position;
        allocatedFrom = position;
        copiedBytes = 0;
        range.exclusive(true);
        lockRange(position, limit);
    }

    @Override
    protected boolean change(MappedRun run) {
        count();
        if (run.kind != ClusterKind.UNALLOCATED) {
            skipTo(position + run.lengthBytes);
            return true;
        }
        if (image.disk.isBehindBacking(position)) {
            skipTo(limit);
            return true;
        }
        if (position < readStart || position >= readEnd) {
            read(position + run.lengthBytes);
            return false;
        }
        long runEnd = Math.min(position + run.lengthBytes, readEnd);
        long zerosEnd = alikeEnd(runEnd, true);
        if (zerosEnd > position) {
            skipTo(zerosEnd);
            return true;
        }
        return allocate(run, alikeEnd(runEnd, false), parent().memory(), position - start, -1);
    }

    private void skipTo(long guestOffset) {
        position = guestOffset;
        allocatedFrom = guestOffset;
    }

    private void count() {
        copiedBytes += position - allocatedFrom;
        allocatedFrom = position;
    }

    /** The end of the units from the position on that are all zeros, or all not. */
    private long alikeEnd(long runEnd, boolean zero) {
        long unit = 1L << image.form.subclusterBits;
        long at = position;
        while (at < runEnd) {
            long unitEnd = Math.min(runEnd, (at & -unit) + unit);
            if (parent().memory().isZero(at - start, unitEnd - at) != zero) {
                break;
            }
            at = unitEnd;
        }
        return at;
    }

    private void read(long end) {
        waiting = true;
        readStart = position;
        readEnd = end;
        long address = parent().memory().address(0) + (position - start);
        image.disk.readBacking(position, address, (int) (end - position), whenRead);
    }

    private void onRead(BlockError outcome) {
        if (!outcome.isOk()) {
            readEnd = readStart;
            fail(outcome == BlockError.EINVAL ? BlockError.EIO : outcome);
        }
        resume();
    }

    @Override
    protected void walked() {
        count();
    }

    @Override
    protected void release() {
        ended.accept(this);
    }
}
