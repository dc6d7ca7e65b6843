package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ExtentList;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * Asks for the extents of a range, again from where an answer ended until the range is described.
 *
 * <p>Threading: submitted by the caller, then confined to the disk's owner.
 */
final class StatusOperation implements IoCompletion {
    private static final int EXTENTS_AT_ONCE = 1024;

    private final RingDisk disk;
    private final long endBytes;
    private final ExtentList part = new ExtentList(EXTENTS_AT_ONCE);
    private final List<Extent> extents = new ArrayList<>();
    private final CompletableFuture<List<Extent>> future = new CompletableFuture<>();

    StatusOperation(RingDisk disk, long endBytes) {
        this.disk = disk;
        this.endBytes = endBytes;
    }

    CompletableFuture<List<Extent>> future() {
        return future;
    }

    void submit(long fromBytes) {
        part.clear();
        IoRequest request =
                disk.acquire()
                        .prepare(IoOp.BLOCK_STATUS, fromBytes, endBytes - fromBytes, IoFlags.NONE)
                        .extents(part);
        request.push(this);
        try {
            disk.submit(request);
        } catch (RejectedExecutionException ended) {
            // The owner's thread has ended: no answer will come any more.
            request.complete(BlockError.ESHUTDOWN);
        }
    }

    @Override
    public void onComplete(IoRequest request, BlockError error) {
        long fromBytes = request.offsetBytes();
        disk.release(request);
        if (!error.isOk()) {
            fail(error, fromBytes, error.text());
        } else if (part.lengthBytes() == 0) {
            fail(BlockError.EIO, fromBytes, "nothing was reported");
        } else {
            long nextBytes = append(fromBytes);
            if (nextBytes < endBytes) {
                submit(nextBytes);
            } else {
                disk.ended();
                future.complete(List.copyOf(extents));
            }
        }
    }

    private long append(long fromBytes) {
        long position = fromBytes;
        for (int i = 0; i < part.count() && position < endBytes; i++) {
            long length = Math.min(part.extentLengthBytes(i), endBytes - position);
            int last = extents.size() - 1;
            if (last >= 0 && extents.get(last).status() == part.status(i)) {
                Extent before = extents.get(last);
                extents.set(
                        last,
                        new Extent(
                                before.offsetBytes(),
                                before.lengthBytes() + length,
                                before.status()));
            } else {
                extents.add(new Extent(position, length, part.status(i)));
            }
            position += length;
        }
        return position;
    }

    private void fail(BlockError error, long fromBytes, String why) {
        disk.ended();
        future.completeExceptionally(
                new BlockException(
                        error,
                        "BLOCK_STATUS failed: disk=%s, offsetBytes=%d, error=%s"
                                .formatted(disk.name(), fromBytes, why)));
    }
}
