package io.quoin.tools;

import io.quoin.block.BlockException;
import io.quoin.tools.CompareResult.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Compares two images that are open on one loop: walks the extents of both side by side and reads
 * only where one of them may have data. Parts are begun in order, so once one differs nothing
 * behind it is begun, and of those under way the first that differs counts.
 *
 * <p>Threading: confined(loop) of the images.
 */
final class CompareRun extends PartRun<CompareSlot> {
    private static final int SLOTS = 4;
    private static final int PART_BYTES = 1 << 20;
    private static final long NONE = Long.MAX_VALUE;

    private final OpenedImage first;
    private final OpenedImage second;
    private final long firstBytes;
    private final long secondBytes;
    private final int partBytes;
    private final boolean strict;
    private final ExtentCursor firstCursor;
    private final ExtentCursor secondCursor;
    private final List<CompareSlot> slots = new ArrayList<>();
    private final CompletableFuture<CompareResult> done = new CompletableFuture<>();
    private long position;
    private long differsAt = NONE;
    private Finding finding = Finding.SAME;
    private volatile boolean isStatusUnknown;

    CompareRun(OpenedImage first, OpenedImage second, boolean strict, ProgressListener progress) {
        super(
                progress,
                Math.max(
                        first.file().geometry().sizeBytes(), second.file().geometry().sizeBytes()));
        this.first = first;
        this.second = second;
        this.strict = strict;
        firstBytes = first.file().geometry().sizeBytes();
        secondBytes = second.file().geometry().sizeBytes();
        int unitBytes =
                Math.max(
                        first.file().geometry().blockSizeMin(),
                        second.file().geometry().blockSizeMin());
        int transferMax =
                Math.min(
                        first.file().geometry().transferBytesMax(),
                        second.file().geometry().transferBytesMax());
        partBytes = Math.min(PART_BYTES, transferMax) & -unitBytes;
        firstCursor = new ExtentCursor(first.file(), first.loop(), firstBytes);
        secondCursor = new ExtentCursor(second.file(), second.loop(), secondBytes);
    }

    CompletableFuture<CompareResult> start() {
        if (strict && firstBytes != secondBytes) {
            done.complete(new CompareResult(Finding.SIZE, 0, true));
            return done;
        }
        for (int i = 0; i < SLOTS; i++) {
            CompareSlot slot = new CompareSlot(this, partBytes);
            slots.add(slot);
            add(slot);
        }
        feed();
        return done;
    }

    @Override
    protected void took(CompareSlot slot) {
        long difference = slot.difference();
        if (difference != CompareSlot.SAME) {
            found(Finding.CONTENT, difference);
        }
    }

    /** Whether it has failed, and not by a read. */
    boolean isStatusUnknown() {
        return isStatusUnknown;
    }

    private long endBytes() {
        return Math.max(firstBytes, secondBytes);
    }

    private void found(Finding what, long offsetBytes) {
        if (offsetBytes < differsAt) {
            differsAt = offsetBytes;
            finding = what;
        }
    }

    @Override
    protected boolean isAtEnd() {
        return differsAt != NONE || position >= endBytes();
    }

    @Override
    protected void end(@Nullable BlockException failure) {
        if (failure != null) {
            isStatusUnknown = slots.stream().noneMatch(slot -> slot.failure() == failure);
            done.completeExceptionally(failure);
        } else {
            long offset = differsAt == NONE ? 0 : differsAt;
            done.complete(new CompareResult(finding, offset, firstBytes != secondBytes));
        }
    }

    @Override
    protected void next() {
        if (needsLook(firstCursor)) {
            look(first, firstCursor, endBytes());
        } else if (needsLook(secondCursor)) {
            look(second, secondCursor, endBytes());
        } else {
            step();
        }
    }

    private static boolean needsLook(ExtentCursor cursor) {
        return !cursor.isAtEnd() && !cursor.isKnown();
    }

    /** As far as the status of both holds. */
    private void step() {
        boolean isFirstZero = firstCursor.isAtEnd() || firstCursor.isZero();
        boolean isSecondZero = secondCursor.isAtEnd() || secondCursor.isZero();
        boolean isBoth = !firstCursor.isAtEnd() && !secondCursor.isAtEnd();
        if (strict && isBoth && firstCursor.status() != secondCursor.status()) {
            found(Finding.STATUS, position);
            return;
        }
        long run = Math.min(run(firstCursor), run(secondCursor));
        if (isFirstZero && isSecondZero) {
            advance(run);
            done(run);
            return;
        }
        long start = position;
        // Parts end at multiples of their size: so they have room for whole blocks of either image.
        int part = (int) Math.min(run, partBytes - start % partBytes);
        advance(part);
        idle().compare(isFirstZero ? null : first, isSecondZero ? null : second, start, part);
    }

    private static long run(ExtentCursor cursor) {
        return cursor.isAtEnd() ? Long.MAX_VALUE : cursor.runBytes();
    }

    private void advance(long lengthBytes) {
        position += lengthBytes;
        advance(firstCursor, lengthBytes);
        advance(secondCursor, lengthBytes);
    }

    private static void advance(ExtentCursor cursor, long lengthBytes) {
        if (!cursor.isAtEnd()) {
            cursor.advance(lengthBytes);
        }
    }
}
