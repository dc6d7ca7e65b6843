package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.xlator.XlatorFile;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A READ or a CACHE: one child request for each run, all of them in flight together.
 *
 * <p>Threading: confined(loop).
 */
final class ReadOp extends GuestOp {
    private final Consumer<ReadOp> idle;
    private boolean hasMemory;
    private long start;
    private @Nullable ExtentList extents;

    ReadOp(MappedImage image, Consumer<ReadOp> idle) {
        super(image);
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        hasMemory = request.op() == IoOp.READ;
        start = request.offsetBytes();
        extents = hasMemory && request.has(IoFlags.SPARSE) ? request.extents() : null;
        lockRange(position, end);
    }

    @Override
    protected void walk() {
        if (!lock()) {
            return;
        }
        MappedRun run = image.run;
        while (position < end && error.isOk()) {
            switch (run.find(position, end)) {
                case LOAD -> {
                    waiting = true;
                    image.tables.load(run.sliceIndex, this);
                    return;
                }
                case REFUSED -> fail(run.error);
                case FOUND -> {
                    long lengthBytes = run.lengthBytes;
                    read(run, lengthBytes);
                    position += lengthBytes;
                }
            }
        }
    }

    private void read(MappedRun run, long lengthBytes) {
        switch (run.kind) {
            case NORMAL -> {
                reportData(lengthBytes);
                readHost(run.hostOffset, lengthBytes);
            }
            case COMPRESSED -> {
                reportData(lengthBytes);
                readCompressed(run.descriptor, (int) lengthBytes);
            }
            case UNALLOCATED -> readBacking(lengthBytes);
            default ->
                    zeros(
                            position,
                            lengthBytes,
                            run.kind == ClusterKind.ZERO_ALLOCATED
                                    ? BlockStatus.ZERO
                                    : BlockStatus.HOLE | BlockStatus.ZERO);
        }
    }

    /** The last cluster of a file may be cut short: what is missing reads as zeros. */
    private void readHost(long hostOffset, long lengthBytes) {
        long present = lengthBytes;
        if (!image.io.dataReaches(hostOffset + lengthBytes)) {
            present = Math.max(0, Math.min(lengthBytes, image.io.dataSizeBytes() - hostOffset));
            if (hasMemory) {
                parent().memory().zero(position - start + present, lengthBytes - present);
            }
        }
        if (present > 0) {
            readFrom(image.disk.data, hostOffset, present);
        }
    }

    private void readCompressed(long descriptor, int lengthBytes) {
        if (hasMemory) {
            pending++;
            image.compressed.read(
                    descriptor,
                    (int) position & (image.clusterSizeBytes - 1),
                    lengthBytes,
                    parent().memory(),
                    position - start,
                    whenPartDone);
        }
    }

    private void readBacking(long lengthBytes) {
        long backed = image.disk.backedBytes(position, lengthBytes);
        XlatorFile backing = image.disk.backing;
        if (backed > 0 && backing != null) {
            reportData(backed);
            readFrom(backing, position, backed);
        }
        if (backed < lengthBytes) {
            zeros(position + backed, lengthBytes - backed, BlockStatus.HOLE | BlockStatus.ZERO);
        }
    }

    private void readFrom(XlatorFile file, long offset, long lengthBytes) {
        if (hasMemory) {
            IoRequest child = child(IoOp.READ, offset, lengthBytes);
            child.memory().addSlice(parent().memory(), position - start, lengthBytes);
            send(file, child);
        } else {
            send(file, child(IoOp.CACHE, offset, lengthBytes));
        }
    }

    private void zeros(long from, long lengthBytes, int status) {
        ExtentList reported = extents;
        if (reported != null && !reported.add(lengthBytes, status)) {
            fillReported(reported);
        }
        if (extents == null && hasMemory) {
            parent().memory().zero(from - start, lengthBytes);
        }
    }

    private void reportData(long lengthBytes) {
        ExtentList reported = extents;
        if (reported != null && !reported.add(lengthBytes, BlockStatus.DATA)) {
            fillReported(reported);
        }
    }

    /** There are more extents than the list holds: nothing is reported and everything filled. */
    private void fillReported(ExtentList reported) {
        long at = 0;
        for (int i = 0; i < reported.count(); i++) {
            long lengthBytes = reported.extentLengthBytes(i);
            if ((reported.status(i) & BlockStatus.ZERO) != 0) {
                parent().memory().zero(at, lengthBytes);
            }
            at += lengthBytes;
        }
        reported.clear();
        extents = null;
    }

    @Override
    protected void finish(IoRequest request, BlockError outcome) {
        extents = null;
        idle.accept(this);
        request.complete(outcome);
    }
}
