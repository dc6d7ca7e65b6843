package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One operation of a program on a {@link RingDisk}: carried out by one request, or by several where
 * its memory is more than one may carry. Its future completes when all have.
 *
 * <p>It holds the program's buffer, and each request holds it, so the memory lives as long as
 * anything below may use it.
 *
 * <p>Threading: submitted by the caller, completed on the disk's owner.
 */
final class DiskOperation implements IoCompletion {
    private final RingDisk disk;
    private final IoOp op;
    private final long offsetBytes;
    private final long lengthBytes;
    private final int flags;
    private final CompletableFuture<Void> future = new CompletableFuture<>();

    /** Whose memory is at {@link #address}; null for an operation without, or on the heap. */
    private final @Nullable Object keptAlive;

    private final long address;

    /** The program's memory, if it is on the heap. */
    private final @Nullable ByteBuffer heap;

    private final int heapIndex;

    /** Pieces not ended, and one for the submitter while it submits. */
    private final AtomicInteger left = new AtomicInteger(1);

    private volatile BlockError error = BlockError.OK;

    private DiskOperation(
            RingDisk disk,
            IoOp op,
            long offsetBytes,
            long lengthBytes,
            int flags,
            @Nullable Object keptAlive,
            long address,
            @Nullable ByteBuffer heap,
            int heapIndex) {
        this.disk = disk;
        this.op = op;
        this.offsetBytes = offsetBytes;
        this.lengthBytes = lengthBytes;
        this.flags = flags;
        this.keptAlive = keptAlive;
        this.address = address;
        this.heap = heap;
        this.heapIndex = heapIndex;
    }

    /** An operation without memory. */
    static DiskOperation of(RingDisk disk, IoOp op, long offsetBytes, long lengthBytes, int flags) {
        return new DiskOperation(disk, op, offsetBytes, lengthBytes, flags, null, 0, null, 0);
    }

    /** From or into what remains of {@code buffer}. */
    static DiskOperation of(
            RingDisk disk, IoOp op, long offsetBytes, ByteBuffer buffer, int flags) {
        int lengthBytes = buffer.remaining();
        int index = buffer.position();
        if (!buffer.isDirect()) {
            ByteBuffer heap = buffer.duplicate().clear();
            return new DiskOperation(
                    disk, op, offsetBytes, lengthBytes, flags, null, 0, heap, index);
        }
        long address = BufferUtil.address(buffer) + index;
        return new DiskOperation(
                disk, op, offsetBytes, lengthBytes, flags, buffer, address, null, 0);
    }

    /** From or into a range of {@code buffer}. */
    static DiskOperation of(
            RingDisk disk,
            IoOp op,
            long offsetBytes,
            DirectBuffer buffer,
            int index,
            int lengthBytes,
            int flags) {
        buffer.boundsCheck(index, lengthBytes);
        byte[] array = buffer.byteArray();
        if (array != null) {
            ByteBuffer heap = ByteBuffer.wrap(array);
            int heapIndex = buffer.wrapAdjustment() + index;
            return new DiskOperation(
                    disk, op, offsetBytes, lengthBytes, flags, null, 0, heap, heapIndex);
        }
        long address = buffer.addressOffset() + index;
        return new DiskOperation(
                disk, op, offsetBytes, lengthBytes, flags, buffer, address, null, 0);
    }

    IoOp op() {
        return op;
    }

    long offsetBytes() {
        return offsetBytes;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    int flags() {
        return flags;
    }

    CompletableFuture<Void> future() {
        return future;
    }

    /** Submits it all, in pieces of at most {@code pieceBytesMax} if it has memory. */
    void submit(int pieceBytesMax) {
        try {
            if (op.hasMemory()) {
                int step = heap == null ? pieceBytesMax : heapStep(pieceBytesMax);
                for (long done = 0; done < lengthBytes; done += step) {
                    submitPiece(done, (int) Math.min(step, lengthBytes - done));
                }
            } else {
                IoRequest request = disk.acquire().prepare(op, offsetBytes, lengthBytes, flags);
                submit(request, 0);
            }
        } finally {
            endPiece();
        }
    }

    private static int heapStep(int pieceBytesMax) {
        return Math.min(pieceBytesMax, BouncePool.BYTES_MAX);
    }

    private void submitPiece(long done, int pieceBytes) {
        IoRequest request = disk.acquire().prepare(op, offsetBytes + done, pieceBytes, flags);
        if (heap == null) {
            request.memory().add(address + done, pieceBytes);
        } else {
            ByteBuffer bounce = disk.bouncePool().acquire(pieceBytes);
            if (op == IoOp.WRITE) {
                bounce.put(0, heap, heapIndex + (int) done, pieceBytes);
            }
            request.memory().add(BufferUtil.address(bounce), pieceBytes);
            request.attachment(bounce);
        }
        submit(request, done);
    }

    private void submit(IoRequest request, long done) {
        left.incrementAndGet();
        request.push(this, done);
        try {
            disk.submit(request);
        } catch (RejectedExecutionException ended) {
            // The owner's thread has ended: no answer will come any more.
            request.complete(BlockError.ESHUTDOWN);
        }
    }

    @Override
    public void onComplete(IoRequest request, BlockError pieceError) {
        long done = request.token();
        if (!pieceError.isOk()) {
            error = pieceError;
        }
        if (request.attachment() instanceof ByteBuffer bounce) {
            if (op == IoOp.READ && pieceError.isOk() && heap != null) {
                heap.put(heapIndex + (int) done, bounce, 0, (int) request.lengthBytes());
            }
            disk.bouncePool().release(bounce);
        }
        disk.release(request);
        endPiece();
    }

    private void endPiece() {
        if (left.decrementAndGet() > 0) {
            return;
        }
        disk.ended();
        BlockError result = error;
        if (result.isOk()) {
            future.complete(null);
        } else {
            future.completeExceptionally(new BlockException(result, describe(result)));
        }
    }

    private String describe(BlockError result) {
        return "%s failed: disk=%s, offsetBytes=%d, lengthBytes=%d, error=%s"
                .formatted(op, disk.name(), offsetBytes, lengthBytes, result.text());
    }

    @Override
    public String toString() {
        return op + " " + offsetBytes + "+" + lengthBytes + (keptAlive == null ? "" : " direct");
    }
}
