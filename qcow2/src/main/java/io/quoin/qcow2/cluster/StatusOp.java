package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.XlatorFile;
import java.util.function.Consumer;

/**
 * A BLOCK_STATUS: answered from the tables, run by run; for unallocated runs the backing file is
 * asked, for runs in an external data file that. It ends early, with what it has, when the list is
 * full or the work has become too much for one request. Between tables, and after many runs, it
 * gives way to what else is on its loop.
 *
 * <p>Threading: confined(loop).
 */
final class StatusOp extends GuestOp {
    private final Consumer<StatusOp> idle;

    /**
     * Slices of tables that one request may load; each is some 32 MiB of a disk with 64 KiB
     * clusters.
     */
    private static final int LOADS_MAX = 512;

    private static final int RUNS_MAX = 1 << 16;
    private static final int ASKED_EXTENTS_MAX = 256;

    /** Look-ups before it gives way to others on its loop: some ten microseconds. */
    private static final int RUNS_PER_TURN = 1024;

    private final ExtentList askedExtents = new ExtentList(ASKED_EXTENTS_MAX);
    private final Runnable resumeTask = this::resumeTurn;
    private boolean one;
    private int loads;
    private int runs;
    private int turnRuns;
    private boolean asked;
    private long askedBytes;

    StatusOp(MappedImage image, Consumer<StatusOp> idle) {
        super(image);
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        one = request.has(IoFlags.REQ_ONE);
        loads = 0;
        runs = 0;
        turnRuns = 0;
        asked = false;
        lockRange(position, end);
        ExtentList extents = request.extents();
        if (extents == null) {
            fail(BlockError.EINVAL);
        }
    }

    @Override
    protected void walk() {
        if (!lock()) {
            return;
        }
        if (asked) {
            takeAnswer();
        }
        while (position < end && error.isOk()) {
            if ((loads >= LOADS_MAX || runs++ >= RUNS_MAX) && hasExtents()) {
                end = position;
                return;
            }
            if (turnRuns++ >= RUNS_PER_TURN) {
                giveWay();
                return;
            }
            switch (image.run.find(position, end)) {
                case LOAD -> {
                    // A table is loaded only when it is looked at in the same turn: it might be
                    // evicted in between, again and again.
                    if (turnRuns > 1) {
                        giveWay();
                        return;
                    }
                    loads++;
                    waiting = true;
                    image.tables.load(image.run.sliceIndex, this);
                    return;
                }
                case REFUSED -> fail(image.run.error);
                case FOUND -> {
                    if (ask()) {
                        return;
                    }
                }
            }
        }
    }

    private void giveWay() {
        waiting = true;
        image.io.loop().giveWay(resumeTask);
    }

    private void resumeTurn() {
        turnRuns = 0;
        resume();
    }

    /** Whether the answer has to be waited for. */
    private boolean ask() {
        MappedRun run = image.run;
        switch (run.kind) {
            case NORMAL -> {
                if (image.form.external) {
                    return askFile(image.disk.data, run.lengthBytes);
                }
                add(run.lengthBytes, BlockStatus.DATA);
            }
            case COMPRESSED -> add(run.lengthBytes, BlockStatus.DATA);
            case ZERO_ALLOCATED -> add(run.lengthBytes, BlockStatus.ZERO);
            case UNALLOCATED -> {
                XlatorFile backing = image.disk.backing;
                if (backing != null) {
                    return askFile(backing, run.lengthBytes);
                }
                add(run.lengthBytes, BlockStatus.HOLE | BlockStatus.ZERO);
            }
            default -> add(run.lengthBytes, BlockStatus.HOLE | BlockStatus.ZERO);
        }
        return false;
    }

    /** Asks the file that has the guest's bytes at the same place: the backing or the data file. */
    private boolean askFile(XlatorFile file, long lengthBytes) {
        long present = Math.min(lengthBytes, file.geometry().sizeBytes() - position);
        if (present <= 0) {
            add(lengthBytes, BlockStatus.HOLE | BlockStatus.ZERO);
            return false;
        }
        askedExtents.clear();
        asked = true;
        askedBytes = present;
        IoRequest child = child(IoOp.BLOCK_STATUS, position, present);
        child.extents(askedExtents);
        send(file, child);
        if (pending > 1) {
            return true;
        }
        takeAnswer();
        return false;
    }

    private void takeAnswer() {
        asked = false;
        if (askedExtents.count() == 0) {
            fail(BlockError.EIO);
        }
        for (int i = 0; i < askedExtents.count() && position < end && askedBytes > 0; i++) {
            long lengthBytes = Math.min(askedExtents.extentLengthBytes(i), askedBytes);
            askedBytes -= lengthBytes;
            add(lengthBytes, askedExtents.status(i));
        }
    }

    private void add(long lengthBytes, int status) {
        ExtentList extents = parent().extents();
        if (extents == null) {
            return;
        }
        boolean isSecond = extents.count() == 1 && extents.status(0) != status;
        if ((one && isSecond) || !extents.add(lengthBytes, status)) {
            end = position;
        } else {
            position += lengthBytes;
        }
    }

    private boolean hasExtents() {
        ExtentList extents = parent().extents();
        return extents != null && extents.count() > 0;
    }

    @Override
    protected void finish(IoRequest request, BlockError outcome) {
        idle.accept(this);
        request.complete(outcome);
    }
}
