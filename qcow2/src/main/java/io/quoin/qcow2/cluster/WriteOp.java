package io.quoin.qcow2.cluster;

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

    WriteOp(MappedImage image, Consumer<WriteOp> idle) {
        super(image);
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        super.prepare(request);
        start = position;
        lockRange(position, limit);
    }

    @Override
    protected boolean change(MappedRun run) {
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run);
            return true;
        }
        if (!exclusive) {
            if (pending > 1) {
                return false;
            }
            image.locks.release(this);
            exclusive = true;
            lockRange(position, end);
            return lock();
        }
        return allocate(run, limit, parent().memory(), position - start, -1);
    }

    private void writeInPlace(MappedRun run) {
        long lengthBytes = run.lengthBytes;
        if (isInPlaceAllowed(run, lengthBytes)) {
            IoRequest child = child(IoOp.WRITE, run.hostOffset, lengthBytes);
            child.memory().addSlice(parent().memory(), position - start, lengthBytes);
            position += lengthBytes;
            send(image.disk.data, child);
        }
    }

    @Override
    protected void release() {
        idle.accept(this);
    }
}
