package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.refcount.Allocation;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.range.RangeLock;
import org.jspecify.annotations.Nullable;

/**
 * A guest request under way: pooled, and a state machine that walks from {@link #position} to
 * {@link #end}.
 *
 * <p>Threading: confined(loop).
 */
abstract class GuestOp extends Steps {
    protected final MappedImage image;
    protected @Nullable IoRequest parent;
    private final Allocation tableAllocation = new Allocation();
    protected long position;
    protected long end;
    protected BlockError error = BlockError.OK;

    /** Child requests in flight, and one more while a step runs. */
    protected int pending;

    /** {@link #childDone}, for parts that are no child requests. */
    protected final Outcome whenPartDone = this::childDone;

    private final IoCompletion whenChildDone = this::onChildDone;

    /** Whether something other than a child request will resume it. */
    protected boolean waiting;

    /** Of {@link ChangesUnderWay}. */
    int countedAs;

    /** The clusters that it touches. */
    protected final RangeLock range = new RangeLock(this::resume);

    GuestOp(MappedImage image) {
        this.image = image;
    }

    /** Takes a request on and goes as far as it can. */
    final void start(IoRequest request) {
        parent = request;
        position = request.offsetBytes();
        end = request.endBytes();
        error = BlockError.OK;
        pending = 0;
        waiting = false;
        range.exclusive(false);
        prepare(request);
        resume();
    }

    protected final IoRequest parent() {
        IoRequest request = parent;
        if (request == null) {
            throw new AssertionError("operation without a request");
        }
        return request;
    }

    /** Clusters from {@code from} to before {@code to}, for the locks. */
    protected final void lockRange(long from, long to) {
        range.range(from >>> image.clusterBits, Math.max(from, to - 1) >>> image.clusterBits);
    }

    protected final boolean lock() {
        if (!range.isHeld() && !image.locks.acquire(range)) {
            waiting = true;
            return false;
        }
        return true;
    }

    final void awaitClusters() {
        waiting = true;
        image.refcounts.await(this);
    }

    /**
     * A slice of a table, in memory and changeable; null: it has to wait, or has failed. What waits
     * for room holds nothing that those need that make it.
     */
    protected final @Nullable Slice ownSlice(int sliceIndex) {
        MappingTables tables = image.tables;
        if (tables.isDirtyFull()) {
            waiting = true;
            image.flusher.awaitRoom(this);
            return null;
        }
        if (tables.isLoopFull()) {
            waiting = true;
            tables.awaitLoop(this);
            return null;
        }
        if (tables.isDirtyHigh()) {
            image.flusher.writeSoon();
        }
        int l1Index = tables.l1Index(sliceIndex);
        long entry = tables.l1Entry(l1Index);
        Slice slice = tables.find(sliceIndex);
        if (slice != null && L1Entry.isCopied(entry)) {
            return slice;
        }
        if (slice == null && L1Entry.isAllocated(entry)) {
            // It has been evicted since the operation last looked, or its table is new.
            waiting = true;
            tables.load(sliceIndex, this);
            return null;
        }
        Allocation taken = image.refcounts.take(1, tableAllocation);
        if (taken == null) {
            awaitClusters();
            return null;
        }
        if (!image.host.isUnclaimed(taken.start(), 1)) {
            fail(BlockError.EIO);
            return null;
        }
        long hostOffset = taken.start() << image.clusterBits;
        if (slice == null) {
            tables.create(l1Index, hostOffset, taken.fresh());
            waiting = true;
            tables.load(sliceIndex, this);
            return null;
        }
        tables.move(l1Index, hostOffset);
        image.flusher.drop(l1Index, L1Entry.hostOffset(entry) >>> image.clusterBits);
        return slice;
    }

    @Override
    public final void fail(BlockError failure) {
        if (error.isOk()) {
            error = failure;
        }
    }

    @Override
    protected final boolean step() {
        waiting = false;
        pending++;
        if (error.isOk()) {
            walk();
        }
        pending--;
        if (pending == 0 && !waiting && (position >= end || !error.isOk())) {
            if (range.isHeld()) {
                image.locks.release(range);
            }
            IoRequest request = parent();
            parent = null;
            finish(request, error);
        }
        return false;
    }

    /** A child request; memory is the caller's to add before {@link #send}. */
    protected final IoRequest child(IoOp kind, long offset, long lengthBytes) {
        return child(kind, offset, lengthBytes, IoFlags.NONE);
    }

    protected final IoRequest child(IoOp kind, long offset, long lengthBytes, int flags) {
        return image.pool.acquire().prepare(kind, offset, lengthBytes, flags);
    }

    protected final void send(XlatorFile file, IoRequest request) {
        countChild(request);
        file.submit(request);
    }

    /** Has the end of {@code request} waited for, wherever it is submitted. */
    protected final void countChild(IoRequest request) {
        pending++;
        request.push(whenChildDone);
    }

    private void onChildDone(IoRequest request, BlockError outcome) {
        image.pool.release(request);
        childDone(outcome);
    }

    /**
     * A child request has ended. It was valid by what was known of the file: if the file has been
     * cut since, that is no fault of the guest's request.
     */
    final void childDone(BlockError outcome) {
        fail(outcome == BlockError.EINVAL ? BlockError.EIO : outcome);
        pending--;
        if (pending == 0 && !waiting) {
            resume();
        }
    }

    protected abstract void prepare(IoRequest request);

    /** Goes on until it is at the end, or waits, or has failed. */
    protected abstract void walk();

    /** Gives itself back to its pool and ends the request; its locks are released. */
    protected abstract void finish(IoRequest request, BlockError outcome);
}
