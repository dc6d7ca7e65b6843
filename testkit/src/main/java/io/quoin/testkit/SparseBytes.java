package io.quoin.testkit;

import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Bytes of a file, of which only the chunks that were written take memory.
 *
 * <p>Threading: confined to its holder.
 */
final class SparseBytes {
    static final int CHUNK_BYTES = 4096;

    private final TreeMap<Long, UnsafeBuffer> chunks = new TreeMap<>();
    private long sizeBytes;

    SparseBytes(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    long allocatedBytes() {
        return (long) chunks.size() * CHUNK_BYTES;
    }

    void resize(long newSizeBytes) {
        if (newSizeBytes < sizeBytes) {
            punch(newSizeBytes, sizeBytes - newSizeBytes);
        }
        sizeBytes = newSizeBytes;
    }

    void grow(long endBytes) {
        sizeBytes = Math.max(sizeBytes, endBytes);
    }

    void write(long offsetBytes, IoVector memory) {
        grow(offsetBytes + memory.lengthBytes());
        for (long done = 0; done < memory.lengthBytes(); ) {
            long position = offsetBytes + done;
            int inChunk = (int) (position % CHUNK_BYTES);
            int part = (int) Math.min(CHUNK_BYTES - inChunk, memory.lengthBytes() - done);
            UnsafeBuffer chunk =
                    chunks.computeIfAbsent(position / CHUNK_BYTES, index -> newChunk());
            memory.copyTo(done, chunk.addressOffset() + inChunk, part);
            done += part;
        }
    }

    void read(long offsetBytes, IoVector memory) {
        for (long done = 0; done < memory.lengthBytes(); ) {
            long position = offsetBytes + done;
            int inChunk = (int) (position % CHUNK_BYTES);
            int part = (int) Math.min(CHUNK_BYTES - inChunk, memory.lengthBytes() - done);
            UnsafeBuffer chunk = chunks.get(position / CHUNK_BYTES);
            if (chunk == null) {
                memory.zero(done, part);
            } else {
                memory.copyFrom(done, chunk.addressOffset() + inChunk, part);
            }
            done += part;
        }
    }

    /** Makes the range read as zeros and gives its whole chunks back. */
    void punch(long offsetBytes, long lengthBytes) {
        long end = offsetBytes + lengthBytes;
        long position = offsetBytes;
        while (position < end) {
            Map.Entry<Long, UnsafeBuffer> entry = chunks.ceilingEntry(position / CHUNK_BYTES);
            if (entry == null || entry.getKey() * CHUNK_BYTES >= end) {
                return;
            }
            long index = entry.getKey();
            position = Math.max(position, index * CHUNK_BYTES);
            int inChunk = (int) (position % CHUNK_BYTES);
            int part = (int) Math.min(CHUNK_BYTES - inChunk, end - position);
            if (part == CHUNK_BYTES) {
                chunks.remove(index);
            } else {
                entry.getValue().setMemory(inChunk, part, (byte) 0);
            }
            position += part;
        }
    }

    /** Makes the range read as zeros and keeps it allocated. */
    void zero(long offsetBytes, long lengthBytes) {
        grow(offsetBytes + lengthBytes);
        for (long done = 0; done < lengthBytes; ) {
            long position = offsetBytes + done;
            int inChunk = (int) (position % CHUNK_BYTES);
            int part = (int) Math.min(CHUNK_BYTES - inChunk, lengthBytes - done);
            chunks.computeIfAbsent(position / CHUNK_BYTES, index -> newChunk())
                    .setMemory(inChunk, part, (byte) 0);
            done += part;
        }
    }

    /** Reports the range, as far as it fits. */
    void status(long offsetBytes, long lengthBytes, ExtentList extents) {
        long end = offsetBytes + lengthBytes;
        long position = offsetBytes;
        while (position < end) {
            Long index = chunks.ceilingKey(position / CHUNK_BYTES);
            long dataStart = index == null ? end : Math.min(end, index * CHUNK_BYTES);
            int status = BlockStatus.HOLE | BlockStatus.ZERO;
            long extentEnd = dataStart;
            if (dataStart <= position) {
                status = BlockStatus.DATA;
                extentEnd = Math.min(end, (position / CHUNK_BYTES + 1) * CHUNK_BYTES);
            }
            if (!extents.add(extentEnd - position, status)) {
                return;
            }
            position = extentEnd;
        }
    }

    SparseBytes copy() {
        SparseBytes copy = new SparseBytes(sizeBytes);
        chunks.forEach(
                (index, chunk) -> {
                    UnsafeBuffer twin = newChunk();
                    twin.putBytes(0, chunk, 0, CHUNK_BYTES);
                    copy.chunks.put(index, twin);
                });
        return copy;
    }

    private static UnsafeBuffer newChunk() {
        return new UnsafeBuffer(ByteBuffer.allocateDirect(CHUNK_BYTES));
    }
}
