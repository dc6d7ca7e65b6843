package io.quoin.management.image;

import io.quoin.block.BlockException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Copies an image by the extents of the source.
 *
 * <p>Threading: confined(loop) of the source.
 */
final class CopyRun extends PartRun<CopySlot> {
    /** One request for zeros does not cover more, so that progress can be seen. */
    private static final long ZERO_BYTES_MAX = 1L << 30;

    private final CopyPlan plan;
    private final ExtentCursor cursor;
    private final CompletableFuture<CopyTotals> done = new CompletableFuture<>();
    private long readBytes;
    private long storedBytes;

    /**
     * What was done.
     *
     * @param readBytes read from the source
     * @param storedBytes written to the target, before compression
     *     <p>Threading: immutable.
     */
    record CopyTotals(long readBytes, long storedBytes) {}

    CopyRun(CopyPlan plan, int slots, ProgressListener progress) {
        super(progress, plan.endBytes());
        this.plan = plan;
        cursor = new ExtentCursor(plan.source().file(), plan.source().loop(), plan.sourceBytes());
        for (int i = 0; i < slots; i++) {
            add(new CopySlot(this, plan));
        }
    }

    /** Starts, on the source's loop. */
    CompletableFuture<CopyTotals> start() {
        feed();
        return done;
    }

    @Override
    protected void took(CopySlot slot) {
        storedBytes += slot.storedBytes();
    }

    @Override
    protected boolean isAtEnd() {
        return cursor.isAtEnd();
    }

    @Override
    protected void end(@Nullable BlockException failure) {
        if (failure != null) {
            done.completeExceptionally(failure);
        } else {
            done.complete(new CopyTotals(readBytes, storedBytes));
        }
    }

    @Override
    protected void next() {
        if (plan.sparseBytes() == 0) {
            copy(cursor.position());
        } else if (!cursor.isKnown()) {
            look(plan.source(), cursor, plan.sourceBytes());
        } else if (cursor.isZero() && wholeZeroUnits() > 0) {
            zero(wholeZeroUnits());
        } else {
            copy(cursor.position());
        }
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
            done(end - start);
        } else if (plan.backing() != null && start >= plan.backingSizeBytes()) {
            done(end - start); // behind the end of the backing file it reads as zeros
        } else {
            idle().zero(start, end - start);
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
        idle().copy(start, partEnd - start, end - start);
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
