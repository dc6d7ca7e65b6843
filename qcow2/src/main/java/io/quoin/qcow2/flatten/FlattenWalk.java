package io.quoin.qcow2.flatten;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cluster.BackingCopy;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.Outcome;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.TimeUnit;

/**
 * Goes through a disk by guest offset and copies what its backing file has, a piece in a turn. What
 * the backing file says is zero is passed over; what the image has itself costs a look at its
 * tables. While guests use the disk it rests after each piece for as long as that took.
 *
 * <p>Threading: confined(loop).
 */
final class FlattenWalk {
    private static final long BATCH_BYTES = 16 << 20;
    private static final int BATCH_STEPS = 1024;
    private static final long REST_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

    private final OpenImage image;
    private final BackingCopy copy;
    private final Loop loop;
    private final Runnable nextTask = this::next;
    private Outcome ended = error -> {};
    private long position;

    /** Up to here there may be data behind. */
    private long dataEnd;

    private long batchEnd;
    private int steps;
    private long beganNanos;
    private long guestRequests;
    private boolean stopped;

    FlattenWalk(OpenImage image) {
        this.image = image;
        this.copy = image.backingCopy();
        this.loop = image.loop();
    }

    /** One batch. No resize and no change of snapshots may come until {@code outcome} is told. */
    void run(Outcome outcome) {
        ended = outcome;
        batchEnd = copy.copiedBytes() + BATCH_BYTES;
        steps = 0;
        guestRequests = copy.guestRequests();
        next();
    }

    /** The batch ends soon, with ESHUTDOWN. */
    void stop() {
        stopped = true;
    }

    /** Whether everything is copied, in memory. */
    boolean isAtEnd() {
        return position >= copy.endBytes();
    }

    FlattenProgress progress(boolean flat) {
        long totalBytes = flat ? Math.min(position, image.sizeBytes()) : copy.endBytes();
        return new FlattenProgress(
                Math.min(position, totalBytes), totalBytes, copy.copiedBytes(), flat);
    }

    long copiedBytes() {
        return copy.copiedBytes();
    }

    /** Nothing lies behind the image from then on. */
    void leaveBacking(Runnable then) {
        copy.leaveBacking(then);
    }

    private void next() {
        if (stopped) {
            ended.done(BlockError.ESHUTDOWN);
        } else if (isAtEnd() || copy.copiedBytes() >= batchEnd || steps++ >= BATCH_STEPS) {
            ended.done(BlockError.OK);
        } else if (position < dataEnd) {
            copyPiece();
        } else {
            copy.ask(position, this::asked);
        }
    }

    private void asked(BlockError error) {
        if (!error.isOk()) {
            ended.done(error);
            return;
        }
        long end = copy.extentEnd(position);
        long whole = end >= copy.endBytes() ? copy.clusterEnd(end - 1) : copy.clusterStart(end);
        if (copy.isExtentZero() && whole > position) {
            position = whole;
        } else {
            // Of zeros that are less than a cluster the copy finds out by itself.
            dataEnd = copy.clusterEnd(end - 1);
        }
        loop.giveWay(nextTask);
    }

    private void copyPiece() {
        beganNanos = loop.nanoTime();
        long end = Math.min(position + copy.pieceBytes(), dataEnd);
        copy.copy(position, Math.min(end, image.sizeBytes()), error -> copied(end, error));
    }

    private void copied(long end, BlockError error) {
        if (!error.isOk()) {
            ended.done(error);
            return;
        }
        position = end;
        long now = copy.guestRequests();
        boolean isUsed = now != guestRequests;
        guestRequests = now;
        long tookNanos = Math.min(loop.nanoTime() - beganNanos, REST_NANOS_MAX);
        if (isUsed && tookNanos > 0) {
            loop.schedule(tookNanos, nextTask);
        } else {
            loop.giveWay(nextTask);
        }
    }
}
