package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.L2Table;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.refcount.Allocation;
import org.jspecify.annotations.Nullable;

/**
 * A WRITE, WRITE_ZEROES or DISCARD.
 *
 * <pre>
 *  WRITE     SHARED: runs that may be written in place go out together --a cluster has to be allocated-->
 *            EXCLUSIVE on the rest: runs in place, and one {@link AllocatingWrite} after the other
 *  zeroing   EXCLUSIVE on a window of a few L2 tables; entries of whole clusters are changed in memory, parts of
 *            clusters are written; then it gives others a turn and takes the next window
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ChangeOp extends GuestOp {
    private static final int WINDOW_TABLES = 16;
    private static final long ZERO_WRITE_BYTES_MAX = 1 << 20;

    private final AllocatingWrite allocating;
    private final Allocation allocation = new Allocation();
    private final Runnable nextTurn = this::resume;
    private long start;
    private long limit;
    private boolean zeroing;
    private boolean unmapping;
    private boolean fua;

    ChangeOp(OpenImage image) {
        super(image);
        allocating = new AllocatingWrite(image, this);
    }

    @Override
    protected void prepare(IoRequest request) {
        start = position;
        zeroing = request.op() != IoOp.WRITE;
        unmapping = request.op() == IoOp.DISCARD || request.has(IoFlags.MAY_UNMAP);
        fua = request.has(IoFlags.FUA);
        exclusive = zeroing;
        if (zeroing && needsData() && request.has(IoFlags.FAST_ZERO)) {
            fail(BlockError.ENOTSUP);
        }
        nextWindow();
    }

    /** Version 2 has no zero flag: above a backing file zeros have to be written. */
    private boolean needsData() {
        return image.version < 3 && image.backing != null;
    }

    private void nextWindow() {
        limit = end;
        if (zeroing) {
            int shift = 2 * image.clusterBits - 3;
            limit = Math.min(end, ((position >>> shift) + WINDOW_TABLES) << shift);
        }
        lockRange(position, limit);
    }

    @Override
    protected void walk() {
        if (!lock()) {
            return;
        }
        while (position < limit && error.isOk() && !waiting) {
            if (!image.health.isWritable()) {
                fail(image.health.refusal());
                return;
            }
            MappedRun run = image.run;
            switch (run.find(position, limit)) {
                case LOAD -> {
                    waiting = true;
                    image.tables.load(run.l1Index, this);
                    return;
                }
                case REFUSED -> fail(run.error);
                case FOUND -> {
                    if (!change(run)) {
                        return;
                    }
                }
            }
        }
        if (error.isOk() && position == limit && limit < end && pending == 1) {
            image.locks.release(this);
            nextWindow();
            waiting = true;
            image.io.loop().execute(nextTurn);
        }
    }

    /** Whether the walk may go on at once. */
    private boolean change(MappedRun run) {
        if (zeroing) {
            return zero(run);
        }
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run, run.lengthBytes);
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
        return allocate(run, limit);
    }

    private void writeInPlace(MappedRun run, long lengthBytes) {
        long first = run.hostOffset >>> image.clusterBits;
        long last = (run.hostOffset + lengthBytes - 1) >>> image.clusterBits;
        if (!image.isDataArea(first, last - first + 1)) {
            fail(BlockError.EIO);
            return;
        }
        IoRequest child = image.child(this, IoOp.WRITE, run.hostOffset, lengthBytes);
        addData(child.memory(), position, lengthBytes);
        position += lengthBytes;
        image.send(this, image.io.file(), child);
    }

    /** Adds what the guest wants to have at {@code guestOffset}. */
    void addData(IoVector memory, long guestOffset, long lengthBytes) {
        if (zeroing) {
            ZeroMemory.addTo(memory, lengthBytes);
        } else {
            memory.addSlice(parent().memory(), guestOffset - start, lengthBytes);
        }
    }

    /**
     * Gives clusters to the start of the run and writes them; the walk goes on when that has ended.
     */
    private boolean allocate(MappedRun run, long writeEnd) {
        L2Table table = ownTable(run.l1Index);
        if (table != null) {
            allocating.begin(table, position, writeEnd);
        }
        return false;
    }

    /** The write that was begun last has ended, up to {@code newPosition}. */
    void allocated(long newPosition) {
        position = newPosition;
        resume();
    }

    void awaitAllocated() {
        waiting = true;
    }

    void awaitClusters() {
        waiting = true;
        image.refcounts.await(this);
    }

    /**
     * The table of {@code l1Index}, in memory and changeable; null: it has to wait, or has failed.
     */
    private @Nullable L2Table ownTable(int l1Index) {
        MappingTables tables = image.tables;
        if (tables.isDirtyFull()) {
            waiting = true;
            image.flusher.awaitRoom(this);
            return null;
        }
        if (tables.isDirtyHigh()) {
            image.flusher.nudge();
        }
        long entry = tables.l1Entry(l1Index);
        L2Table table = tables.find(l1Index);
        if (table != null && L1Entry.isCopied(entry)) {
            return table;
        }
        Allocation taken = image.refcounts.take(1, allocation);
        if (taken == null) {
            awaitClusters();
            return null;
        }
        if (!image.isDataArea(taken.start(), 1)) {
            fail(BlockError.EIO);
            return null;
        }
        long hostOffset = taken.start() << image.clusterBits;
        if (table == null) {
            return tables.create(l1Index, hostOffset, taken.fresh());
        }
        tables.move(table, hostOffset);
        image.flusher.drop(L1Entry.hostOffset(entry) >>> image.clusterBits);
        return table;
    }

    private boolean zero(MappedRun run) {
        int mask = image.clusterSizeBytes - 1;
        long wholeEnd = end == image.sizeBytes() ? (end + mask) & ~(long) mask : end & ~(long) mask;
        long clusterEnd = (position & ~(long) mask) + image.clusterSizeBytes;
        if ((position & mask) != 0 || clusterEnd > wholeEnd) {
            return zeroPart(run, Math.min(limit, clusterEnd));
        }
        long runEnd = Math.min(position + run.lengthBytes, wholeEnd);
        switch (run.kind) {
            case UNALLOCATED -> {
                if (image.isBehindBacking(position)) {
                    position = Math.min(runEnd, limit);
                    return true;
                }
            }
            case ZERO_PLAIN -> {
                position = Math.min(runEnd, limit);
                return true;
            }
            case ZERO_ALLOCATED -> {
                if (!unmapping) {
                    position = Math.min(runEnd, limit);
                    return true;
                }
            }
            default -> {}
        }
        if (needsData() && !image.isBehindBacking(position)) {
            return zeroData(run, Math.min(runEnd, position + ZERO_WRITE_BYTES_MAX));
        }
        return zeroEntries(run, runEnd);
    }

    /** Of part of a cluster: nothing where it reads as zeros already, else a write. */
    private boolean zeroPart(MappedRun run, long partEnd) {
        boolean isZero =
                switch (run.kind) {
                    case ZERO_PLAIN, ZERO_ALLOCATED -> true;
                    case UNALLOCATED -> image.isBehindBacking(position);
                    default -> false;
                };
        if (isZero) {
            position = partEnd;
            return true;
        }
        return zeroData(run, partEnd);
    }

    private boolean zeroData(MappedRun run, long dataEnd) {
        long writeEnd = Math.min(dataEnd, limit);
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run, Math.min(run.lengthBytes, writeEnd - position));
            return true;
        }
        return allocate(run, writeEnd);
    }

    private boolean zeroEntries(MappedRun run, long runEnd) {
        L2Table table = ownTable(run.l1Index);
        if (table == null) {
            return false;
        }
        int shift = 2 * image.clusterBits - 3;
        long tableEnd = ((position >>> shift) + 1) << shift;
        long to = Math.min(runEnd, tableEnd);
        while (position < to) {
            int l2Index = (int) (position >>> image.clusterBits) & (table.entries().length - 1);
            if (!zeroEntry(table, l2Index)) {
                fail(BlockError.EIO);
                return false;
            }
            position += image.clusterSizeBytes;
        }
        position = Math.min(position, limit);
        return true;
    }

    private boolean zeroEntry(L2Table table, int l2Index) {
        long entry = table.entries()[l2Index];
        long hostOffset = L2Entry.hostOffset(entry);
        boolean hidesBacking = image.version >= 3 && !image.isBehindBacking(position);
        long gone = hidesBacking ? L2Entry.ZERO : 0;
        if (L2Entry.isCompressed(entry)) {
            if (!image.isCompressedDataArea(entry)) {
                return false;
            }
            image.tables.setEntry(table, l2Index, gone, false);
            image.dropCompressed(entry);
            return true;
        }
        if (hostOffset == 0) {
            if (entry != gone) {
                image.tables.setEntry(table, l2Index, gone, false);
            }
            return true;
        }
        if (!unmapping && L2Entry.isCopied(entry) && image.version >= 3) {
            image.tables.setEntry(table, l2Index, entry | L2Entry.ZERO, false);
            return true;
        }
        if (!image.isDataArea(hostOffset >>> image.clusterBits, 1)) {
            return false;
        }
        image.tables.setEntry(table, l2Index, gone, false);
        image.flusher.drop(hostOffset >>> image.clusterBits);
        return true;
    }

    @Override
    protected void finish(IoRequest request, BlockError outcome) {
        boolean flush = fua && outcome.isOk();
        image.release(this);
        if (flush) {
            image.flusher.flush(request);
        } else {
            request.complete(outcome);
        }
    }
}
