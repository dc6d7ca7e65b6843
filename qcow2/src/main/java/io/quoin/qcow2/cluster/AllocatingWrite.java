package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.Join;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import io.quoin.qcow2.refcount.Allocation;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * A write into clusters, or subclusters, that have no place of their own yet.
 *
 * <pre>
 *  take contiguous host clusters; or those that are there already: kept by a zero cluster, of other subclusters,
 *  or the guest's own cluster in an external data file
 *  --> read what is missing at the head and at the tail, from the backing file or the old cluster
 *  --> one write of [moved] [head] data [tail] [moved]; of a cluster that was never used, zeros need none
 *  --> entries changed in memory: from here on reads see the new cluster; the old one loses a reference
 *
 *  |   moved   |   head   |   data   |   tail   |   moved   |
 *   head, tail: to the ends of the subclusters; without extended L2, or if it is compressed, of the cluster
 *   moved:      other subclusters of an old cluster that is shared, as far as they are allocated
 * </pre>
 *
 * <p>The entries must not be durable before the data, unless the old content was zeros and the
 * cluster is fresh: then a crash leaves zeros, which is what a guest that has not flushed may find.
 * In all other cases {@code flushFirst} makes the flusher flush the data before it writes the
 * entries.
 *
 * <p>Threading: confined(loop).
 */
final class AllocatingWrite {
    private enum Source {
        NONE,
        ZEROS,
        BACKING,
        OLD,
        COMPRESSED
    }

    private final MappedImage image;
    private final Steps waiter;
    private final Outcome ended;
    private final EntryForm form;
    private final Allocation allocation = new Allocation();
    private final IoCompletion whenWritten = this::onWritten;
    private @Nullable IoVector data;
    private long dataAt;
    private int zeroFlags;
    private @Nullable Slice slice;
    private @Nullable ByteBuffer buffer;
    private int firstIndex;
    private int count;
    private boolean placed;
    private boolean oldIsZero;
    private long clusterStart;

    // Guest offsets, in this order; each part goes to where the next one starts.
    private long headMoved;
    private long headStart;
    private long dataStart;
    private long dataEnd;
    private long tailEnd;
    private long tailMoved;
    private Source head = Source.NONE;
    private Source tail = Source.NONE;

    /**
     * @param waiter is resumed, to begin anew, when there may be memory or clusters
     * @param ended is told of the end of a write that has begun
     */
    AllocatingWrite(MappedImage image, Steps waiter, Outcome ended) {
        this.image = image;
        this.waiter = waiter;
        this.ended = ended;
        this.form = image.form;
    }

    /**
     * Begins at {@code position}, or has to wait.
     *
     * @param newData what is written, from {@code newDataAt} on in it; null: zeros
     * @param newZeroFlags of WRITE_ZEROES, by which the file makes the zeros; -1: they are written
     * @return false if a cluster holds metadata: nothing has begun
     */
    boolean begin(
            Slice ownSlice,
            long position,
            long writeEnd,
            @Nullable IoVector newData,
            long newDataAt,
            int newZeroFlags) {
        data = newData;
        dataAt = newDataAt;
        zeroFlags = newZeroFlags;
        clusterStart = position & -(long) image.clusterSizeBytes;
        dataStart = position;
        firstIndex = form.l2Index(position);
        placed = form.isPlaced(form.descriptor(ownSlice, firstIndex));
        plan(ownSlice, countClusters(ownSlice, writeEnd), writeEnd);
        if (!isDroppable(ownSlice)) {
            releaseBuffer();
            return false;
        }
        if (needsBuffer() && buffer == null) {
            buffer = image.cowBuffers.acquire(waiter);
            if (buffer == null) {
                return true;
            }
        }
        if (!allocate(ownSlice, writeEnd)) {
            releaseBuffer();
            image.refcounts.await(waiter);
            return true;
        }
        if (!image.host.isDataArea(allocation.start(), count)) {
            releaseBuffer();
            return false;
        }
        slice = ownSlice;
        ownSlice.pin();
        readMissing(ownSlice);
        return true;
    }

    /** Where the write ends that has ended. */
    long dataEnd() {
        return dataEnd;
    }

    /** Finds host clusters; fewer than wanted make it a shorter write; false: there are none. */
    private boolean allocate(Slice ownSlice, long writeEnd) {
        if (placed) {
            long host =
                    form.external
                            ? clusterStart
                            : L2Entry.hostOffset(form.descriptor(ownSlice, firstIndex));
            allocation.set(host >>> image.clusterBits, count, false);
        } else if (image.refcounts.take(count, allocation) == null) {
            return false;
        } else if (allocation.count() < count) {
            plan(ownSlice, allocation.count(), writeEnd);
        }
        return true;
    }

    private long clusterBytes() {
        return (long) count << image.clusterBits;
    }

    private long guestOffset(int cluster) {
        return clusterStart + ((long) cluster << image.clusterBits);
    }

    /** Clusters from the first one on that the same allocation can serve. */
    private int countClusters(Slice ownSlice, long writeEnd) {
        long wanted = (writeEnd - clusterStart + image.clusterSizeBytes - 1) >>> image.clusterBits;
        long most =
                Math.min(
                        Math.min(wanted, form.sliceMask + 1 - firstIndex),
                        image.disk.transferBytesMax >>> image.clusterBits);
        long first = form.descriptor(ownSlice, firstIndex);
        int found = 1;
        while (found < most && joins(ownSlice, found, first)) {
            found++;
        }
        return found;
    }

    private boolean joins(Slice ownSlice, int cluster, long first) {
        long descriptor = form.descriptor(ownSlice, firstIndex + cluster);
        long bitmap = form.bitmap(ownSlice, firstIndex + cluster);
        if (!form.fault(descriptor, bitmap, guestOffset(cluster), image.io.fileSizeBytes())
                .isNone()) {
            return false;
        }
        return (placed && !form.external)
                ? descriptor == first + ((long) cluster << image.clusterBits)
                : form.isPlaced(descriptor) == placed;
    }

    /** Whether no place that these clusters lose holds metadata: it would be free, and punched. */
    private boolean isDroppable(Slice ownSlice) {
        for (int i = 0; i < count; i++) {
            if (!isDroppable(form.descriptor(ownSlice, firstIndex + i))) {
                return false;
            }
        }
        return true;
    }

    private boolean isDroppable(long descriptor) {
        if (L2Entry.isCompressed(descriptor)) {
            return image.host.isCompressedDataArea(descriptor);
        }
        long host = L2Entry.hostOffset(descriptor);
        return placed || host == 0 || image.host.isDataArea(host >>> image.clusterBits, 1);
    }

    /** Decides what is written around the data of {@code clusters} clusters. */
    private void plan(Slice ownSlice, int clusters, long writeEnd) {
        count = clusters;
        dataEnd = Math.min(writeEnd, clusterStart + clusterBytes());
        int last = firstIndex + count - 1;
        long inUnit = unitMask(ownSlice, firstIndex);
        headStart = dataStart & ~inUnit;
        head = headStart == dataStart ? Source.NONE : source(ownSlice, firstIndex, headStart);
        headStart = head == Source.NONE ? dataStart : headStart;
        inUnit = unitMask(ownSlice, last);
        tailEnd = (dataEnd + inUnit) & ~inUnit;
        if (tailEnd == dataEnd) {
            tail = Source.NONE;
        } else if (dataEnd >= image.disk.sizeBytes()) {
            // Never visible; a later resize makes it zeros.
            tail = form.external ? Source.NONE : Source.ZEROS;
        } else {
            tail = source(ownSlice, last, dataEnd);
        }
        tailEnd = tail == Source.NONE ? dataEnd : tailEnd;
        headMoved = headStart;
        tailMoved = tailEnd;
        if (form.extended && !placed) {
            planMoves(ownSlice, last);
        }
    }

    /** What is written as a whole: a subcluster, or a compressed cluster. */
    private long unitMask(Slice ownSlice, int l2Index) {
        boolean inOne = L2Entry.isCompressed(form.descriptor(ownSlice, l2Index));
        return (1L << (inOne ? form.clusterBits : form.subclusterBits)) - 1;
    }

    /** The subclusters that stay as they are move along from a shared cluster. */
    private void planMoves(Slice ownSlice, int last) {
        int before = form.subcluster(dataStart);
        int kept = (int) form.bitmap(ownSlice, firstIndex) & ((1 << before) - 1);
        if (kept != 0) {
            int first = Integer.numberOfTrailingZeros(kept);
            headMoved = clusterStart + ((long) first << form.subclusterBits);
        }
        int after = form.subcluster(dataEnd - 1);
        long behind = (form.bitmap(ownSlice, last) & 0xffff_ffffL) >>> (after + 1);
        if (behind != 0) {
            int end = after + 1 + Long.SIZE - Long.numberOfLeadingZeros(behind);
            tailMoved = guestOffset(count - 1) + ((long) end << form.subclusterBits);
        }
    }

    /** Where the old bytes of a subcluster come from, from {@code guestOffset} in it on. */
    private Source source(Slice ownSlice, int l2Index, long guestOffset) {
        long descriptor = form.descriptor(ownSlice, l2Index);
        long bitmap = form.bitmap(ownSlice, l2Index);
        return switch (form.kind(descriptor, bitmap, form.subcluster(guestOffset))) {
            case NORMAL -> placed ? Source.NONE : Source.OLD;
            case COMPRESSED -> Source.COMPRESSED;
            case UNALLOCATED ->
                    image.disk.isBehindBacking(guestOffset) ? Source.ZEROS : Source.BACKING;
            default -> Source.ZEROS;
        };
    }

    private boolean needsBuffer() {
        return isRead(head) || isRead(tail) || headMoved < headStart || tailEnd < tailMoved;
    }

    private static boolean isRead(Source source) {
        return source == Source.BACKING || source == Source.OLD || source == Source.COMPRESSED;
    }

    private void readMissing(Slice ownSlice) {
        oldIsZero = true;
        for (int i = 0; i < count && oldIsZero; i++) {
            oldIsZero = wasZero(ownSlice, i);
        }
        if (!needsBuffer()) {
            write();
            return;
        }
        long old = form.descriptor(ownSlice, firstIndex);
        long oldLast = form.descriptor(ownSlice, firstIndex + count - 1);
        Join join = new Join(this::onRead);
        read(Source.OLD, old, headMoved, headStart, join);
        read(head, old, headStart, dataStart, join);
        read(tail, oldLast, dataEnd, tailEnd, join);
        read(Source.OLD, oldLast, tailEnd, tailMoved, join);
        join.started();
    }

    /** Whether what becomes visible of a cluster's place read as zeros before. */
    private boolean wasZero(Slice ownSlice, int cluster) {
        long start = guestOffset(cluster);
        long bitmap = form.bitmap(ownSlice, firstIndex + cluster);
        boolean compressed = L2Entry.isCompressed(form.descriptor(ownSlice, firstIndex + cluster));
        if (compressed || (!placed && (int) bitmap != 0)) {
            return false;
        }
        long touched = mask(cluster);
        boolean zero = ((bitmap >>> SubclusterBitmap.SUBCLUSTERS) & touched) == touched;
        return zero || (image.disk.isBehindBacking(start) && (bitmap & touched) == 0);
    }

    /** The subclusters of a cluster that are written. */
    private long mask(int cluster) {
        long start = guestOffset(cluster);
        return form.mask(
                Math.max(dataStart, start), Math.min(dataEnd, start + image.clusterSizeBytes));
    }

    /** What lies before the data has its place in the buffer's first half, the rest behind. */
    private long address(ByteBuffer in, long guestOffset) {
        long inCluster = guestOffset & (image.clusterSizeBytes - 1);
        long half = guestOffset < dataEnd ? 0 : image.clusterSizeBytes;
        return BufferUtil.address(in) + half + inCluster;
    }

    private void read(Source source, long descriptor, long from, long to, Join join) {
        ByteBuffer into = buffer;
        if (from == to || into == null) {
            return;
        }
        long address = address(into, from);
        int lengthBytes = (int) (to - from);
        int inCluster = (int) from & (image.clusterSizeBytes - 1);
        switch (source) {
            case BACKING -> image.disk.readBacking(from, address, lengthBytes, join.one());
            case OLD -> {
                long host = L2Entry.hostOffset(descriptor);
                image.io.read(host + inCluster, address, lengthBytes, join.one());
            }
            case COMPRESSED ->
                    image.compressed.read(descriptor, inCluster, lengthBytes, address, join.one());
            case NONE, ZEROS -> {}
        }
    }

    private void onRead(BlockError error) {
        if (error.isOk()) {
            write();
        } else {
            end(error);
        }
    }

    private void write() {
        long from = isWritten(head) || headMoved < headStart ? headMoved : dataStart;
        long to = isWritten(tail) || tailEnd < tailMoved ? tailMoved : dataEnd;
        long host = (allocation.start() << image.clusterBits) + (from - clusterStart);
        IoRequest request = image.pool.acquire();
        if (zeroFlags >= 0 && from == dataStart && to == dataEnd) {
            request.prepare(IoOp.WRITE_ZEROES, host, to - from, zeroFlags);
        } else {
            request.prepare(IoOp.WRITE, host, to - from, IoFlags.NONE);
            addMemory(request.memory(), from, to);
        }
        request.push(whenWritten);
        image.disk.data.submit(request);
    }

    private void addMemory(IoVector memory, long from, long to) {
        if (from < dataStart) {
            addOld(memory, Source.OLD, headMoved, headStart);
            addOld(memory, head, headStart, dataStart);
        }
        IoVector wanted = data;
        if (wanted == null) {
            ZeroMemory.addTo(memory, dataEnd - dataStart);
        } else {
            memory.addSlice(wanted, dataAt, dataEnd - dataStart);
        }
        if (dataEnd < to) {
            addOld(memory, tail, dataEnd, tailEnd);
            addOld(memory, Source.OLD, tailEnd, tailMoved);
        }
    }

    /** A cluster that was never used has its zeros already. */
    private boolean isWritten(Source source) {
        return isRead(source) || (source == Source.ZEROS && !allocation.fresh());
    }

    private void addOld(IoVector memory, Source source, long from, long to) {
        ByteBuffer in = buffer;
        if (from == to) {
            return;
        }
        if (source == Source.ZEROS || in == null) {
            ZeroMemory.addTo(memory, to - from);
        } else {
            memory.add(address(in, from), (int) (to - from));
        }
    }

    private void onWritten(IoRequest request, BlockError error) {
        image.pool.release(request);
        end(error);
    }

    private void end(BlockError error) {
        Slice changed = slice;
        slice = null;
        if (changed == null) {
            throw new AssertionError("allocating write ended twice");
        }
        if (error.isOk()) {
            link(changed);
        } else if (!placed) {
            image.refcounts.putBack(allocation.start(), count);
        }
        changed.unpin();
        data = null;
        releaseBuffer();
        ended.done(error);
    }

    private void link(Slice changed) {
        boolean flushFirst = !(allocation.fresh() && oldIsZero);
        long host = allocation.start() << image.clusterBits;
        int l1Index = (int) (clusterStart >>> form.l1Shift);
        for (int i = 0; i < count; i++) {
            int l2Index = firstIndex + i;
            long old = form.descriptor(changed, l2Index);
            boolean compressed = L2Entry.isCompressed(old);
            long mask = compressed ? form.all() : mask(i);
            long bitmap = SubclusterBitmap.withAllocated(form.bitmap(changed, l2Index), mask);
            form.put(image.tables, changed, l2Index, L2Entry.of(host, true), bitmap, flushFirst);
            if (compressed) {
                image.host.dropCompressed(l1Index, old);
            } else if (!placed && L2Entry.hostOffset(old) != 0) {
                image.flusher.drop(l1Index, L2Entry.hostOffset(old) >>> image.clusterBits);
            }
            host += image.clusterSizeBytes;
        }
    }

    private void releaseBuffer() {
        ByteBuffer used = buffer;
        buffer = null;
        if (used != null) {
            image.cowBuffers.release(used);
        }
    }
}
