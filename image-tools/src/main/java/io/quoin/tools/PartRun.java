package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Goes through images by their extents and keeps a bounded number of parts under way. After the
 * first failure nothing new is begun, and the run ends when nothing is under way any more.
 *
 * <p>Threading: confined(loop) of the images that are read.
 *
 * @param <S> a part, with its memory
 */
abstract class PartRun<S extends PartRun.Slot> {
    /** A part that has ended. */
    interface Slot {
        long lengthBytes();

        /** What went wrong; null: nothing. */
        @Nullable BlockException failure();
    }

    private final ProgressListener progress;
    private final long endBytes;
    private final ArrayDeque<S> idle = new ArrayDeque<>();
    private int slots;
    private long doneBytes;
    private boolean looking;
    private boolean feeding;
    private boolean again;
    private @Nullable BlockException failure;

    PartRun(ProgressListener progress, long endBytes) {
        this.progress = progress;
        this.endBytes = endBytes;
    }

    /** Begins the next part, or looks for it. */
    protected abstract void next();

    /** Whether nothing more is to be begun. */
    protected abstract boolean isAtEnd();

    /** A part has ended well. */
    protected abstract void took(S slot);

    /** Nothing is under way any more. */
    protected abstract void end(@Nullable BlockException firstFailure);

    /** One more part may be under way. */
    protected final void add(S slot) {
        idle.add(slot);
        slots++;
    }

    /** One that can be begun; there is one in {@link #next}. */
    protected final S idle() {
        return idle.remove();
    }

    final void slotEnded(S slot) {
        idle.add(slot);
        BlockException ended = slot.failure();
        if (ended == null) {
            took(slot);
        } else if (failure == null) {
            failure = ended;
        }
        done(slot.lengthBytes());
        feed();
    }

    protected final void done(long lengthBytes) {
        doneBytes += lengthBytes;
        progress.progress(doneBytes, endBytes);
    }

    /** Begins as much as can be; whatever ends meanwhile makes it go round once more. */
    protected final void feed() {
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
            end(failure);
        }
    }

    private boolean isStopped() {
        if (failure == null && progress.isStopped()) {
            failure =
                    new BlockException(
                            BlockError.ESHUTDOWN,
                            "stopped: done=" + doneBytes + ", of=" + endBytes);
        }
        return failure != null || isAtEnd();
    }

    /** Finds out what comes next in {@code image}; nothing is begun before that. */
    protected final void look(OpenedImage image, ExtentCursor cursor, long imageEndBytes) {
        looking = true;
        cursor.look(
                error -> {
                    looking = false;
                    if (!error.isOk()) {
                        long position = cursor.position();
                        failure =
                                ImageFailure.of(
                                        image,
                                        "block status",
                                        position,
                                        imageEndBytes - position,
                                        error);
                    }
                    feed();
                });
    }
}
