package io.quoin.backup;

import io.quoin.block.IoFlags;
import io.quoin.block.disk.Disk;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import org.agrona.BufferUtil;

/**
 * Copies ranges of one disk to another, in whole units of the target: some parts are read ahead,
 * looked at for zeros in the order of the disk, and written.
 *
 * <p>Threading: confined to its thread, which waits.
 */
final class BlockCopy {
    /** The cluster of the files that are written, and what is looked at for zeros at once. */
    static final int UNIT_BYTES = 64 << 10;

    private static final int PART_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;

    /** Read ahead; as many again are being written. */
    private static final int DEPTH = 4;

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(UNIT_BYTES);

    private final Disk source;
    private final Disk target;
    private final boolean writesZeros;
    private final int writeFlags;
    private final long sizeBytes;
    private final BackupEvents events;
    private final Deque<Part> idle = new ArrayDeque<>();
    private final Deque<Part> reading = new ArrayDeque<>();
    private final Deque<Part> writing = new ArrayDeque<>();

    /** Everything before it is copied, or need not be. */
    private long doneBytes;

    /** A part of the disk on its way. */
    private static final class Part {
        private final ByteBuffer memory = BufferUtil.allocateDirectAligned(PART_BYTES, ALIGNMENT);
        private long offsetBytes;
        private CompletableFuture<Void> ended = CompletableFuture.completedFuture(null);
    }

    /**
     * @param writesZeros whether the target may read as something else than zeros before
     * @param compressed whether data are stored compressed
     */
    BlockCopy(
            Disk source,
            Disk target,
            boolean writesZeros,
            boolean compressed,
            BackupEvents events) {
        this.source = source;
        this.target = target;
        this.writesZeros = writesZeros;
        this.writeFlags = compressed ? IoFlags.COMPRESSED : IoFlags.NONE;
        this.sizeBytes = source.sizeBytes();
        this.events = events;
        for (int i = 0; i < 2 * DEPTH; i++) {
            idle.add(new Part());
        }
    }

    /**
     * Copies a range that begins at or behind the end of the one before.
     *
     * @param isZero whether it is known to read as zeros; the edges of units are read all the same
     */
    void copy(long startBytes, long lengthBytes, boolean isZero) {
        long end = startBytes + lengthBytes;
        if (isZero) {
            long first = alignUp(startBytes);
            long last = end >= sizeBytes ? sizeBytes : alignDown(end);
            if (first < last) {
                read(alignDown(startBytes), first);
                zero(first, last);
                read(last, end);
                return;
            }
        }
        read(alignDown(startBytes), Math.min(alignUp(end), sizeBytes));
    }

    /** Tells how far the disk is looked at. */
    void passed(long offsetBytes, long totalBytes) {
        events.progress(offsetBytes, totalBytes);
        events.checkpoint();
    }

    private void zero(long start, long end) {
        long from = Math.max(start, doneBytes);
        if (from < end && writesZeros) {
            target.await(target.zeroAsync(from, end - from, IoFlags.MAY_UNMAP));
        }
        doneBytes = Math.max(doneBytes, end);
    }

    /** Whole units; {@code end} is rounded up. */
    private void read(long start, long end) {
        long last = Math.min(alignUp(end), sizeBytes);
        long offset = Math.max(start, doneBytes);
        while (offset < last) {
            if (reading.size() == DEPTH) {
                writeFirst();
            }
            if (idle.isEmpty()) {
                endFirst();
            }
            Part part = idle.remove();
            int length = (int) Math.min(PART_BYTES, last - offset);
            part.offsetBytes = offset;
            part.memory.clear().limit(length);
            part.ended = source.readAsync(offset, part.memory);
            reading.add(part);
            offset += length;
            events.checkpoint();
        }
        doneBytes = Math.max(doneBytes, last);
    }

    /** Waits until all is written. */
    void end() {
        while (!reading.isEmpty()) {
            writeFirst();
        }
        while (!writing.isEmpty()) {
            endFirst();
        }
    }

    private void endFirst() {
        Part part = writing.remove();
        target.await(part.ended);
        idle.add(part);
    }

    private void writeFirst() {
        Part part = reading.remove();
        source.await(part.ended);
        part.ended = write(part);
        writing.add(part);
    }

    private CompletableFuture<Void> write(Part part) {
        int length = part.memory.limit();
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        int start = 0;
        while (start < length) {
            boolean isZero = isZero(part.memory, start, length);
            int end = start;
            while (end < length && isZero(part.memory, end, length) == isZero) {
                end = Math.min(length, end + UNIT_BYTES);
            }
            all = CompletableFuture.allOf(all, write(part, start, end, isZero));
            start = end;
        }
        return all;
    }

    private CompletableFuture<Void> write(Part part, int start, int end, boolean isZero) {
        long offset = part.offsetBytes + start;
        if (!isZero) {
            return target.writeAsync(offset, part.memory.slice(start, end - start), writeFlags);
        }
        return writesZeros
                ? target.zeroAsync(offset, end - start, IoFlags.MAY_UNMAP)
                : CompletableFuture.completedFuture(null);
    }

    private static boolean isZero(ByteBuffer memory, int start, int limit) {
        int length = Math.min(UNIT_BYTES, limit - start);
        return memory.slice(start, length).mismatch(ZEROS.slice(0, length)) < 0;
    }

    private static long alignDown(long bytes) {
        return bytes & -UNIT_BYTES;
    }

    private static long alignUp(long bytes) {
        return alignDown(bytes + UNIT_BYTES - 1);
    }
}
