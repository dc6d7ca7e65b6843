package io.quoin.tools;

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

    /** Of the target's backing file; never ahead of {@link #cursor}. */
    private final @Nullable ExtentCursor backingCursor;

    private final CompletableFuture<CopyTotals> done = new CompletableFuture<>();
    private long readBytes;
    private long storedBytes;

    /**
     * What was done.
     *
     * <p>Threading: immutable.
     *
     * @param readBytes read from the source
     * @param storedBytes written to the target, before compression
     */
    record CopyTotals(long readBytes, long storedBytes) {}

    CopyRun(CopyPlan plan, int slots, ProgressListener progress) {
        super(progress, plan.endBytes());
        this.plan = plan;
        cursor = new ExtentCursor(plan.source().file(), plan.source().loop(), plan.sourceBytes());
        OpenedImage backing = plan.backing();
        backingCursor =
                backing == null
                        ? null
                        : new ExtentCursor(backing.file(), backing.loop(), plan.backingSizeBytes());
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
            zeroOverBacking(wholeZeroUnits());
        } else {
            copy(cursor.position());
        }
    }

    /** Zeros from here on that fill units of the target, or reach to the end. */
    private long wholeZeroUnits() {
        long end = cursor.position() + Math.min(cursor.runBytes(), ZERO_BYTES_MAX);
        return wholeUnitsTo(end);
    }

    /** What lies before {@code end}, which need not be the end of a unit, in whole units. */
    private long wholeUnitsTo(long end) {
        long whole = end == plan.sourceBytes() ? end : end & -plan.unitBytes();
        return whole - cursor.position();
    }

    /** Nothing is stored where the target's backing file has zeros as well. */
    private void zeroOverBacking(long zeroBytes) {
        OpenedImage backing = plan.backing();
        ExtentCursor below = backingCursor;
        long start = cursor.position();
        if (backing == null || below == null) {
            zero(zeroBytes, plan.targetIsZero());
            return;
        }
        if (start >= plan.backingSizeBytes()) {
            zero(zeroBytes, true); // behind the end of the backing file it reads as zeros
            return;
        }
        below.goTo(start);
        if (!below.isKnown()) {
            look(backing, below, plan.backingSizeBytes());
            return;
        }
        long runEnd = start + below.runBytes();
        if (runEnd >= plan.backingSizeBytes() && below.isZero()) {
            zero(zeroBytes, true);
            return;
        }
        long same = wholeUnitsTo(Math.min(runEnd, start + zeroBytes));
        if (below.isZero() && same > 0) {
            zero(same, true);
        } else {
            // To the end of the unit in which the data below end.
            long unitEnd = (runEnd + plan.unitBytes() - 1) & -plan.unitBytes();
            zero(Math.min(zeroBytes, unitEnd - start), false);
        }
    }

    /**
     * Zeros from here on.
     *
     * @param isThere the target has them already
     */
    private void zero(long zeroBytes, boolean isThere) {
        long start = cursor.position();
        cursor.advance(zeroBytes);
        long end = cursor.isAtEnd() ? plan.endBytes() : start + zeroBytes;
        if (isThere) {
            done(end - start);
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
