package io.quoin.qcow2.cluster;

import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.layout.ClusterKind;
import java.util.function.Consumer;

/**
 * A WRITE.
 *
 * <pre>
 *  SHARED  runs that may be written in place go out together --a cluster has to be allocated-->
 *  EXCLUSIVE on the rest: runs in place, and one {@link AllocatingWrite} after the other
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class WriteOp extends ChangeOp {
    private final Consumer<WriteOp> idle;
    private long start;

    /** Whether every part so far went in place, by a write that is durable when it ends. */
    private boolean durable;

    WriteOp(MappedImage image, Consumer<WriteOp> idle) {
        super(image);
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        super.prepare(request);
        start = position;
        durable = request.has(IoFlags.FUA) && image.disk.data.capabilities().canFua();
        lockRange(position, limit);
    }

    @Override
    protected boolean change(MappedRun run) {
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run);
            return true;
        }
        if (!range.isExclusive()) {
            if (pending > 1) {
                return false;
            }
            image.locks.release(range);
            range.exclusive(true);
            lockRange(position, end);
            return lock();
        }
        durable = false;
        return allocate(run, limit, parent().memory(), position - start, -1);
    }

    private void writeInPlace(MappedRun run) {
        long lengthBytes = run.lengthBytes;
        if (isInPlaceAllowed(run, lengthBytes)) {
            // With the entries that lead there on disk the file can make the data durable alone.
            durable &= image.flusher.isDurable();
            int flags = durable ? IoFlags.FUA : IoFlags.NONE;
            IoRequest child = child(IoOp.WRITE, run.hostOffset, lengthBytes, flags);
            child.memory().addSlice(parent().memory(), position - start, lengthBytes);
            position += lengthBytes;
            send(image.disk.data, child);
        }
    }

    @Override
    protected boolean isDurable() {
        return durable;
    }

    @Override
    protected void release() {
        idle.accept(this);
    }
}
