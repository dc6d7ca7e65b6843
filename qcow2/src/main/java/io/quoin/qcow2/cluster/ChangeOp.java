package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SubclusterBitmap;

/**
 * A WRITE, WRITE_ZEROES or DISCARD.
 *
 * <pre>
 *  WRITE     SHARED: runs that may be written in place go out together --a cluster has to be allocated-->
 *            EXCLUSIVE on the rest: runs in place, and one {@link AllocatingWrite} after the other
 *  zeroing   EXCLUSIVE on a window of a few L2 tables; entries of whole clusters are changed in memory, parts of
 *            clusters are written; then it gives others a turn and takes the next window
 *  placing   zeroing of an image that allocates zeros: as EXCLUSIVE writes, but the zeros are made by the file
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ChangeOp extends GuestOp {
    private static final int WINDOW_TABLES = 16;
    private static final long ZERO_WRITE_BYTES_MAX = 1 << 20;

    private final AllocatingWrite allocating;
    private final Runnable nextTurn = this::resume;
    private long start;
    private long limit;
    private boolean zeroing;
    private boolean placing;
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
        placing = request.op() == IoOp.WRITE_ZEROES && image.areZerosAllocated();
        unmapping = request.op() == IoOp.DISCARD || request.has(IoFlags.MAY_UNMAP);
        fua = request.has(IoFlags.FUA);
        exclusive = zeroing;
        if (zeroing && request.has(IoFlags.FAST_ZERO) && isSlow()) {
            fail(BlockError.ENOTSUP);
        }
        nextWindow();
    }

    /** Whether it may have to write zeros. */
    private boolean isSlow() {
        // A raw data file has to be zeroed itself.
        boolean slowRaw = image.isRaw && !image.data.capabilities().canFastZero();
        return slowRaw || image.needsZeroData() || keepsByData();
    }

    /** Version 2 has no zero flag: a cluster that is to keep its place has zeros written there. */
    private boolean keepsByData() {
        return image.version < 3 && !unmapping;
    }

    private void nextWindow() {
        limit = end;
        if (zeroing) {
            int shift = image.form.l1Shift;
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
                    image.tables.load(run.sliceIndex, this);
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
        IoRequest child;
        if (placing) {
            child = image.child(this, IoOp.WRITE_ZEROES, run.hostOffset, lengthBytes, zeroFlags());
        } else {
            child = image.child(this, IoOp.WRITE, run.hostOffset, lengthBytes);
            addData(child.memory(), position, lengthBytes);
        }
        position += lengthBytes;
        image.send(this, image.data, child);
    }

    /** Whether zeros are made in the file by WRITE_ZEROES with {@link #zeroFlags}. */
    boolean isPlacing() {
        return placing;
    }

    int zeroFlags() {
        return unmapping ? IoFlags.MAY_UNMAP : IoFlags.NONE;
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
        Slice slice = ownSlice(run.sliceIndex);
        if (slice != null) {
            allocating.begin(slice, position, writeEnd);
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

    /** Parts of clusters go apart: other bytes are written along with them. */
    private boolean place(MappedRun run) {
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run, run.lengthBytes);
            return true;
        }
        long mask = image.clusterSizeBytes - 1L;
        long clusterEnd = (position | mask) + 1;
        boolean isPart = (position & mask) != 0 || clusterEnd > limit;
        return allocate(run, isPart ? Math.min(clusterEnd, limit) : limit & ~mask);
    }

    private boolean zero(MappedRun run) {
        if (placing) {
            return place(run);
        }
        if (image.isRaw) {
            return zeroRaw(run);
        }
        // A compressed cluster is one piece also where there are subclusters.
        boolean inOne = run.kind == ClusterKind.COMPRESSED;
        long mask = (1L << (inOne ? image.clusterBits : image.form.subclusterBits)) - 1;
        long wholeEnd = end == image.sizeBytes() ? (end + mask) & ~mask : end & ~mask;
        long unitEnd = (position & ~mask) + mask + 1;
        if ((position & mask) != 0 || unitEnd > wholeEnd) {
            return zeroPart(run, Math.min(limit, unitEnd));
        }
        long runEnd = Math.min(position + run.lengthBytes, wholeEnd);
        switch (run.kind) {
            case UNALLOCATED -> {
                if (image.isZeroUnallocated(position)) {
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
        boolean keeps = keepsByData() && run.kind == ClusterKind.NORMAL && run.copied;
        if (keeps || (image.needsZeroData() && !image.isZeroUnallocated(position))) {
            return zeroData(run, Math.min(runEnd, position + ZERO_WRITE_BYTES_MAX));
        }
        return zeroEntries(run, runEnd);
    }

    /**
     * Of a raw data file, which has zeros wherever the guest has: only clusters with data need
     * something, and that is done to the data file and not to the entries.
     */
    private boolean zeroRaw(MappedRun run) {
        if (run.kind == ClusterKind.NORMAL) {
            long lengthBytes = Math.min(run.lengthBytes, image.io.dataSizeBytes() - position);
            if (lengthBytes > 0) {
                IoRequest child =
                        image.child(this, IoOp.WRITE_ZEROES, position, lengthBytes, zeroFlags());
                image.send(this, image.data, child);
            }
        }
        position += run.lengthBytes;
        return true;
    }

    /** Of part of a cluster: nothing where it reads as zeros already, else a write. */
    private boolean zeroPart(MappedRun run, long partEnd) {
        boolean isZero =
                switch (run.kind) {
                    case ZERO_PLAIN, ZERO_ALLOCATED -> true;
                    case UNALLOCATED -> image.isZeroUnallocated(position);
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
        Slice slice = ownSlice(run.sliceIndex);
        if (slice == null) {
            return false;
        }
        boolean punches = image.form.external && unmapping && run.kind == ClusterKind.NORMAL;
        long from = position;
        int shift = image.form.sliceShift;
        long sliceEnd = ((position >>> shift) + 1) << shift;
        long to = Math.min(runEnd, sliceEnd);
        while (position < to) {
            long clusterEnd = (position & -(long) image.clusterSizeBytes) + image.clusterSizeBytes;
            long partEnd = Math.min(to, clusterEnd);
            if (!zeroEntry(slice, partEnd)) {
                fail(BlockError.EIO);
                return false;
            }
            position = partEnd;
        }
        position = Math.min(position, limit);
        if (punches) {
            image.punchData(this, from, position - from);
        }
        return true;
    }

    /** The subclusters of one cluster, from the position to before {@code partEnd}. */
    private boolean zeroEntry(Slice slice, long partEnd) {
        EntryForm form = image.form;
        int l2Index = form.l2Index(position);
        long descriptor = form.descriptor(slice, l2Index);
        long bitmap = form.bitmap(slice, l2Index);
        if (L2Entry.isCompressed(descriptor)) {
            return zeroCompressed(slice, l2Index, descriptor);
        }
        long mask = form.mask(position, partEnd);
        boolean hasHost = form.hasHost(descriptor);
        boolean keeps = hasHost && !unmapping && form.isPlaced(descriptor) && image.version >= 3;
        boolean hidesBacking = image.version >= 3 && !image.isZeroUnallocated(position);
        long changed = SubclusterBitmap.withZero(bitmap, mask);
        if (!keeps && !hidesBacking) {
            changed = SubclusterBitmap.without(bitmap, mask);
        }
        // The last subcluster with data takes the cluster along.
        boolean drops = hasHost && !keeps && (int) changed == 0;
        if (drops && !form.external) {
            long cluster = L2Entry.hostOffset(descriptor) >>> image.clusterBits;
            if (!image.isDataArea(cluster, 1)) {
                return false;
            }
            image.flusher.drop(cluster);
        }
        if (drops || changed != bitmap) {
            form.put(image.tables, slice, l2Index, drops ? 0 : descriptor, changed, false);
        }
        return true;
    }

    private boolean zeroCompressed(Slice slice, int l2Index, long descriptor) {
        if (!image.isCompressedDataArea(descriptor)) {
            return false;
        }
        boolean hidesBacking = image.version >= 3 && !image.isZeroUnallocated(position);
        long zeros = hidesBacking ? SubclusterBitmap.withZero(0, image.form.all()) : 0;
        image.form.put(image.tables, slice, l2Index, 0, zeros, false);
        image.dropCompressed(descriptor);
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
