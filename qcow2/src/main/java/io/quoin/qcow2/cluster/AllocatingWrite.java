package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.Join;
import io.quoin.qcow2.cache.L2Table;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.refcount.Allocation;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * A write into clusters that have no place of their own yet.
 *
 * <pre>
 *  take contiguous host clusters (or the one that a zero cluster kept)
 *  --> read what is missing at the head and at the tail, from the backing file or the old cluster
 *  --> one write of [head] data [tail]; of a cluster that was never used, parts that are zeros need none
 *  --> entries changed in memory: from here on reads see the new cluster; the old one loses a reference
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

    private final OpenImage image;
    private final ChangeOp op;
    private final Allocation allocation = new Allocation();
    private final IoCompletion whenWritten = this::onWritten;
    private @Nullable L2Table table;
    private @Nullable ByteBuffer buffer;
    private int firstIndex;
    private int count;
    private boolean reuse;
    private boolean oldIsZero;
    private long clusterStart;
    private long dataStart;
    private long dataEnd;
    private Source head = Source.NONE;
    private Source tail = Source.NONE;

    AllocatingWrite(OpenImage image, ChangeOp op) {
        this.image = image;
        this.op = op;
    }

    /** Begins at {@code position}; the operation waits, is resumed at the end, or has failed. */
    void begin(L2Table ownTable, long position, long writeEnd) {
        MappedRun run = image.run;
        if (run.find(position, writeEnd) != MappedRun.Lookup.FOUND) {
            op.fail(BlockError.EIO);
            return;
        }
        boolean partial = ((position | writeEnd) & (image.clusterSizeBytes - 1)) != 0;
        boolean copies =
                image.backing != null
                        || run.kind == ClusterKind.NORMAL
                        || run.kind == ClusterKind.COMPRESSED;
        if (partial && copies && buffer == null) {
            buffer = image.cowBuffers.acquire(op);
            if (buffer == null) {
                op.awaitAllocated();
                return;
            }
        }
        clusterStart = position & -(long) image.clusterSizeBytes;
        dataStart = position;
        firstIndex = (int) (position >>> image.clusterBits) & (ownTable.entries().length - 1);
        reuse = run.kind == ClusterKind.ZERO_ALLOCATED && run.copied;
        count = countClusters(run, ownTable, writeEnd);
        if (!isDroppable(ownTable)) {
            op.fail(BlockError.EIO);
            releaseBuffer();
            return;
        }
        if (reuse) {
            long host = L2Entry.hostOffset(ownTable.entries()[firstIndex]);
            allocation.set(host >>> image.clusterBits, count, false);
        } else if (image.refcounts.take(count, allocation) == null) {
            releaseBuffer();
            op.awaitClusters();
            return;
        }
        count = allocation.count();
        if (!image.isDataArea(allocation.start(), count)) {
            op.fail(BlockError.EIO);
            releaseBuffer();
            return;
        }
        table = ownTable;
        ownTable.pin();
        dataEnd = Math.min(writeEnd, clusterStart + clusterBytes());
        op.awaitAllocated();
        readMissing(ownTable);
    }

    private long clusterBytes() {
        return (long) count << image.clusterBits;
    }

    /** Clusters from the first one on that the same allocation can serve. */
    private int countClusters(MappedRun run, L2Table ownTable, long writeEnd) {
        long[] entries = ownTable.entries();
        long wanted = (writeEnd - clusterStart + image.clusterSizeBytes - 1) >>> image.clusterBits;
        long most =
                Math.min(
                        Math.min(wanted, entries.length - firstIndex),
                        image.transferBytesMax >>> image.clusterBits);
        long inRun =
                (dataStart - clusterStart + run.lengthBytes + image.clusterSizeBytes - 1)
                        >>> image.clusterBits;
        long found = Math.min(most, inRun);
        while (!reuse && found < most && isReplaced(entries, found, writeEnd)) {
            found++;
        }
        return (int) found;
    }

    /** Whether a cluster behind the run gets a new place in any case. */
    private boolean isReplaced(long[] entries, long inRun, long writeEnd) {
        long entry = entries[firstIndex + (int) inRun];
        if (L2Entry.isCompressed(entry)) {
            // Without a buffer only where nothing of it is kept.
            long clusterEnd = clusterStart + ((inRun + 1) << image.clusterBits);
            return buffer != null || clusterEnd <= writeEnd;
        }
        return entry == 0 || (entry == L2Entry.ZERO && image.version >= 3);
    }

    private boolean isDroppable(L2Table ownTable) {
        for (int i = 0; i < count; i++) {
            long entry = ownTable.entries()[firstIndex + i];
            if (L2Entry.isCompressed(entry) && !image.isCompressedDataArea(entry)) {
                return false;
            }
        }
        return true;
    }

    private void readMissing(L2Table ownTable) {
        long[] entries = ownTable.entries();
        long tailBytes = clusterStart + clusterBytes() - dataEnd;
        oldIsZero = true;
        for (int i = 0; i < count; i++) {
            Source source =
                    source(entries[firstIndex + i], clusterStart + ((long) i << image.clusterBits));
            oldIsZero &= source == Source.ZEROS;
        }
        head = dataStart == clusterStart ? Source.NONE : source(entries[firstIndex], clusterStart);
        if (tailBytes == 0) {
            tail = Source.NONE;
        } else if (dataEnd >= image.sizeBytes()) {
            // Never visible; a later resize makes it zeros.
            tail = Source.ZEROS;
        } else {
            tail = source(entries[firstIndex + count - 1], dataEnd);
        }
        ByteBuffer into = buffer;
        if (into == null) {
            write();
            return;
        }
        long address = BufferUtil.address(into);
        Join join = new Join(this::onRead);
        read(
                head,
                entries[firstIndex],
                clusterStart,
                (int) (dataStart - clusterStart),
                address,
                join);
        read(
                tail,
                entries[firstIndex + count - 1],
                dataEnd,
                (int) tailBytes,
                address + image.clusterSizeBytes,
                join);
        join.started();
    }

    /** Where the old bytes of a cluster come from, from {@code guestOffset} in it on. */
    private Source source(long entry, long guestOffset) {
        if (L2Entry.isCompressed(entry)) {
            return Source.COMPRESSED;
        }
        if ((entry & L2Entry.ZERO) != 0) {
            return Source.ZEROS;
        }
        if (L2Entry.hostOffset(entry) != 0) {
            return Source.OLD;
        }
        return image.isBehindBacking(guestOffset) ? Source.ZEROS : Source.BACKING;
    }

    private void read(
            Source source, long entry, long guestOffset, int lengthBytes, long address, Join join) {
        if (source == Source.BACKING) {
            image.readBacking(guestOffset, address, lengthBytes, join.one());
        } else if (source == Source.OLD) {
            long inCluster = guestOffset & (image.clusterSizeBytes - 1);
            image.io.read(L2Entry.hostOffset(entry) + inCluster, address, lengthBytes, join.one());
        } else if (source == Source.COMPRESSED) {
            int inCluster = (int) guestOffset & (image.clusterSizeBytes - 1);
            image.compressed.read(entry, inCluster, lengthBytes, address, join.one());
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
        long headBytes = isWritten(head) ? dataStart - clusterStart : 0;
        long tailBytes = isWritten(tail) ? clusterStart + clusterBytes() - dataEnd : 0;
        long host = (allocation.start() << image.clusterBits) + (dataStart - clusterStart);
        long lengthBytes = headBytes + (dataEnd - dataStart) + tailBytes;
        IoRequest request =
                image.pool
                        .acquire()
                        .prepare(IoOp.WRITE, host - headBytes, lengthBytes, IoFlags.NONE);
        IoVector memory = request.memory();
        addOld(memory, head, headBytes, 0);
        op.addData(memory, dataStart, dataEnd - dataStart);
        addOld(memory, tail, tailBytes, image.clusterSizeBytes);
        request.push(whenWritten);
        image.io.file().submit(request);
    }

    /** A cluster that was never used has its zeros already. */
    private boolean isWritten(Source source) {
        return source == Source.BACKING
                || source == Source.OLD
                || source == Source.COMPRESSED
                || (source == Source.ZEROS && !allocation.fresh());
    }

    private void addOld(IoVector memory, Source source, long lengthBytes, int bufferIndex) {
        ByteBuffer from = buffer;
        if (lengthBytes == 0) {
            return;
        }
        if (source == Source.ZEROS || from == null) {
            ZeroMemory.addTo(memory, lengthBytes);
        } else {
            memory.add(BufferUtil.address(from) + bufferIndex, (int) lengthBytes);
        }
    }

    private void onWritten(IoRequest request, BlockError error) {
        image.pool.release(request);
        end(error);
    }

    private void end(BlockError error) {
        L2Table changed = table;
        table = null;
        if (changed == null) {
            throw new AssertionError("allocating write ended twice");
        }
        if (error.isOk()) {
            link(changed);
        } else if (!reuse) {
            image.refcounts.putBack(allocation.start(), count);
        }
        changed.unpin();
        releaseBuffer();
        if (error.isOk()) {
            op.allocated(dataEnd);
        } else {
            op.fail(error);
            op.resume();
        }
    }

    private void link(L2Table changed) {
        boolean flushFirst = !(allocation.fresh() && oldIsZero);
        long host = allocation.start() << image.clusterBits;
        for (int i = 0; i < count; i++) {
            int l2Index = firstIndex + i;
            long old = changed.entries()[l2Index];
            image.tables.setEntry(changed, l2Index, L2Entry.of(host, true), flushFirst);
            if (L2Entry.isCompressed(old)) {
                image.dropCompressed(old);
            } else if (!reuse && L2Entry.hostOffset(old) != 0) {
                image.flusher.drop(L2Entry.hostOffset(old) >>> image.clusterBits);
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
