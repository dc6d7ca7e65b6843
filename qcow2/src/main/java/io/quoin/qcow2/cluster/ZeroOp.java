package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.util.function.Consumer;

/**
 * A WRITE_ZEROES or DISCARD.
 *
 * <pre>
 *  zeroing     EXCLUSIVE on a window of a few L2 tables; entries of whole clusters are changed in memory, parts of
 *              clusters are written; then it gives others a turn and takes the next window
 *  allocating  of an image that allocates zeros: as EXCLUSIVE writes, but the zeros are made by the file
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ZeroOp extends ChangeOp {
    private static final int WINDOW_TABLES = 16;
    private static final long ZERO_WRITE_BYTES_MAX = 1 << 20;

    private final Consumer<ZeroOp> idle;
    private final Runnable nextTurn = this::resume;
    private final IoCompletion whenPunched = this::onPunched;
    private boolean allocates;
    private boolean unmapping;

    ZeroOp(MappedImage image, Consumer<ZeroOp> idle) {
        super(image);
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        super.prepare(request);
        allocates = request.op() == IoOp.WRITE_ZEROES && image.disk.areZerosAllocated();
        unmapping = request.op() == IoOp.DISCARD || request.has(IoFlags.MAY_UNMAP);
        range.exclusive(true);
        if (request.has(IoFlags.FAST_ZERO) && isSlow()) {
            fail(BlockError.ENOTSUP);
        }
        nextWindow();
    }

    /** Whether it may have to write zeros. */
    private boolean isSlow() {
        // A raw data file has to be zeroed itself.
        boolean slowRaw = image.disk.isRaw && !image.disk.data.capabilities().canFastZero();
        return slowRaw || image.disk.needsZeroData() || keepsByData();
    }

    /** Version 2 has no zero flag: a cluster that is to keep its place has zeros written there. */
    private boolean keepsByData() {
        return image.version < 3 && !unmapping;
    }

    private void nextWindow() {
        int shift = image.form.l1Shift;
        limit = Math.min(end, ((position >>> shift) + WINDOW_TABLES) << shift);
        lockRange(position, limit);
    }

    @Override
    protected void walked() {
        if (error.isOk() && position == limit && limit < end && pending == 1) {
            image.locks.release(range);
            nextWindow();
            waiting = true;
            image.io.loop().execute(nextTurn);
        }
    }

    private void writeInPlace(MappedRun run, long lengthBytes) {
        if (!isInPlaceAllowed(run, lengthBytes)) {
            return;
        }
        IoRequest child;
        if (allocates) {
            child = child(IoOp.WRITE_ZEROES, run.hostOffset, lengthBytes, zeroFlags());
        } else {
            child = child(IoOp.WRITE, run.hostOffset, lengthBytes);
            ZeroMemory.addTo(child.memory(), lengthBytes);
        }
        position += lengthBytes;
        send(image.disk.data, child);
    }

    private int zeroFlags() {
        return unmapping ? IoFlags.MAY_UNMAP : IoFlags.NONE;
    }

    private boolean allocate(MappedRun run, long writeEnd) {
        return allocate(run, writeEnd, null, 0, allocates ? zeroFlags() : -1);
    }

    /** Parts of clusters go apart: other bytes are written along with them. */
    private boolean allocateZeros(MappedRun run) {
        if (run.kind == ClusterKind.NORMAL && run.copied) {
            writeInPlace(run, run.lengthBytes);
            return true;
        }
        long mask = image.clusterSizeBytes - 1L;
        long clusterEnd = (position | mask) + 1;
        boolean isPart = (position & mask) != 0 || clusterEnd > limit;
        return allocate(run, isPart ? Math.min(clusterEnd, limit) : limit & ~mask);
    }

    @Override
    protected boolean change(MappedRun run) {
        if (allocates) {
            return allocateZeros(run);
        }
        if (image.disk.isRaw) {
            return zeroRaw(run);
        }
        // A compressed cluster is one piece also where there are subclusters.
        boolean inOne = run.kind == ClusterKind.COMPRESSED;
        long mask = (1L << (inOne ? image.clusterBits : image.form.subclusterBits)) - 1;
        long wholeEnd = end == image.disk.sizeBytes() ? (end + mask) & ~mask : end & ~mask;
        long unitEnd = (position & ~mask) + mask + 1;
        if ((position & mask) != 0 || unitEnd > wholeEnd) {
            return zeroPart(run, Math.min(limit, unitEnd));
        }
        long runEnd = Math.min(position + run.lengthBytes, wholeEnd);
        switch (run.kind) {
            case UNALLOCATED -> {
                if (image.disk.isZeroUnallocated(position)) {
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
        if (keeps || (image.disk.needsZeroData() && !image.disk.isZeroUnallocated(position))) {
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
                IoRequest child = child(IoOp.WRITE_ZEROES, position, lengthBytes, zeroFlags());
                send(image.disk.data, child);
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
                    case UNALLOCATED -> image.disk.isZeroUnallocated(position);
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
            punchData(from, position - from);
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
        boolean hidesBacking = image.version >= 3 && !image.disk.isZeroUnallocated(position);
        long changed = SubclusterBitmap.withZero(bitmap, mask);
        if (!keeps && !hidesBacking) {
            changed = SubclusterBitmap.without(bitmap, mask);
        }
        // The last subcluster with data takes the cluster along.
        boolean drops = hasHost && !keeps && (int) changed == 0;
        if (drops && !form.external) {
            long cluster = L2Entry.hostOffset(descriptor) >>> image.clusterBits;
            if (!image.host.isDataArea(cluster, 1)) {
                return false;
            }
            image.flusher.drop(l1Index(), cluster);
        }
        if (drops || changed != bitmap) {
            form.put(image.tables, slice, l2Index, drops ? 0 : descriptor, changed, false);
        }
        return true;
    }

    private int l1Index() {
        return (int) (position >>> image.form.l1Shift);
    }

    private boolean zeroCompressed(Slice slice, int l2Index, long descriptor) {
        if (!image.host.isCompressedDataArea(descriptor)) {
            return false;
        }
        boolean hidesBacking = image.version >= 3 && !image.disk.isZeroUnallocated(position);
        long zeros = hidesBacking ? SubclusterBitmap.withZero(0, image.form.all()) : 0;
        image.form.put(image.tables, slice, l2Index, 0, zeros, false);
        image.host.dropCompressed(l1Index(), descriptor);
        return true;
    }

    /** Gives a range of an external data file back, which costs room and no more if it fails. */
    private void punchData(long offset, long lengthBytes) {
        long present = Math.min(lengthBytes, image.io.dataSizeBytes() - offset);
        if (present > 0 && image.disk.data.capabilities().canDiscard()) {
            IoRequest request = image.pool.acquire();
            request.prepare(IoOp.DISCARD, offset, present, IoFlags.NONE);
            pending++;
            request.push(whenPunched);
            image.disk.data.submit(request);
        }
    }

    private void onPunched(IoRequest request, BlockError error) {
        image.pool.release(request);
        childDone(BlockError.OK);
    }

    @Override
    protected void release() {
        idle.accept(this);
    }
}
