package io.quoin.management.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Copies an image: walks the extents of the source, and keeps a bounded number of parts under way.
 * After the first failure nothing new is begun, and the run ends when nothing is under way any
 * more.
 *
 * <p>Threading: confined(loop) of the source.
 */
final class CopyRun {
    /** One request for zeros does not cover more, so that progress can be seen. */
    private static final long ZERO_BYTES_MAX = 1L << 30;

    private final CopyPlan plan;
    private final ProgressListener progress;
    private final ExtentCursor cursor;
    private final ArrayDeque<CopySlot> idle = new ArrayDeque<>();
    private final int slots;
    private final CompletableFuture<CopyTotals> done = new CompletableFuture<>();
    private long doneBytes;
    private long readBytes;
    private long storedBytes;
    private boolean looking;
    private boolean feeding;
    private boolean again;
    private @Nullable BlockException failure;

    /**
     * What was done.
     *
     * @param readBytes read from the source
     * @param storedBytes written to the target, before compression
     *     <p>Threading: immutable.
     */
    record CopyTotals(long readBytes, long storedBytes) {}

    CopyRun(CopyPlan plan, int slots, ProgressListener progress) {
        this.plan = plan;
        this.slots = slots;
        this.progress = progress;
        cursor = new ExtentCursor(plan.source().file(), plan.source().loop(), plan.sourceBytes());
        for (int i = 0; i < slots; i++) {
            idle.add(new CopySlot(this, plan));
        }
    }

    /** Starts, on the source's loop. */
    CompletableFuture<CopyTotals> start() {
        feed();
        return done;
    }

    void slotEnded(CopySlot slot) {
        idle.add(slot);
        doneBytes += slot.lengthBytes();
        storedBytes += slot.storedBytes();
        if (failure == null) {
            failure = slot.failure();
        }
        progress.progress(doneBytes, plan.endBytes());
        feed();
    }

    /** Begins as much as can be; whatever ends meanwhile makes it go round once more. */
    private void feed() {
        again = true;
        if (feeding) {
            return;
        }
        feeding = true;
        while (again) {
            again = false;
            while (!isStopped() && !looking && !idle.isEmpty()) {
                next();
            }
        }
        feeding = false;
        if (isStopped() && !looking && idle.size() == slots) {
            end();
        }
    }

    private boolean isStopped() {
        return failure != null || cursor.isAtEnd();
    }

    private void end() {
        if (failure != null) {
            done.completeExceptionally(failure);
        } else {
            done.complete(new CopyTotals(readBytes, storedBytes));
        }
    }

    private void next() {
        if (plan.sparseBytes() == 0) {
            copy(cursor.position());
        } else if (!cursor.isKnown()) {
            look();
        } else if (cursor.isZero() && wholeZeroUnits() > 0) {
            zero(wholeZeroUnits());
        } else {
            copy(cursor.position());
        }
    }

    private void look() {
        looking = true;
        cursor.look(
                error -> {
                    looking = false;
                    if (!error.isOk()) {
                        failure = statusFailure(error);
                    }
                    feed();
                });
    }

    private BlockException statusFailure(BlockError error) {
        long position = cursor.position();
        return ImageFailure.of(
                plan.source(), "block status", position, plan.sourceBytes() - position, error);
    }

    /** Zeros from here on that fill units of the target, or reach to the end. */
    private long wholeZeroUnits() {
        long run = Math.min(cursor.runBytes(), ZERO_BYTES_MAX);
        long end = cursor.position() + run;
        return end == plan.sourceBytes() ? run : (end & -plan.unitBytes()) - cursor.position();
    }

    private void zero(long zeroBytes) {
        long start = cursor.position();
        cursor.advance(zeroBytes);
        long end = cursor.isAtEnd() ? plan.endBytes() : start + zeroBytes;
        if (plan.targetIsZero()) {
            doneBytes += end - start;
        } else if (plan.backing() != null && start >= plan.backingSizeBytes()) {
            doneBytes += end - start; // behind the end of the backing file it reads as zeros
        } else {
            idle.remove().zero(start, end - start);
        }
    }

    /** A part that begins at a unit and ends at one, also where the extent ends earlier. */
    private void copy(long start) {
        long partEnd = Math.min(start - start % plan.partBytes() + plan.partBytes(), limit());
        while (cursor.position() < partEnd) {
            if (!cursor.isKnown()) {
                cursor.skip(partEnd - cursor.position());
            } else {
                cursor.advance(Math.min(cursor.runBytes(), partEnd - cursor.position()));
            }
        }
        long end = cursor.isAtEnd() ? plan.endBytes() : partEnd;
        readBytes += partEnd - start;
        idle.remove().copy(start, partEnd - start, end - start);
    }

    /** Where the data at the position end, at a unit of the target. */
    private long limit() {
        if (!cursor.isKnown() || plan.sparseBytes() == 0) {
            return plan.sourceBytes();
        }
        long unit = plan.unitBytes();
        long position = cursor.position();
        long run = cursor.isZero() ? 1 : cursor.runBytes();
        return Math.min((position + run + unit - 1) & -unit, plan.sourceBytes());
    }
}
