package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.function.Consumer;

/**
 * Walks the extents of a file from its start to its end, a bounded list of them at a time.
 *
 * <pre>
 *   while (cursor.position() &lt; size)
 *     cursor.isKnown() ? status() and runBytes() describe what is at position(); advance()
 *                      : look(then)
 * </pre>
 *
 * <p>Threading: confined(loop) of the file.
 */
final class ExtentCursor {
    private static final int EXTENTS_MAX = 4096;

    private final XlatorFile file;
    private final Loop loop;
    private final long sizeBytes;
    private final ExtentList extents = new ExtentList(EXTENTS_MAX);
    private long position;
    private int index;
    private long usedBytes;

    ExtentCursor(XlatorFile file, Loop loop, long sizeBytes) {
        this.file = file;
        this.loop = loop;
        this.sizeBytes = sizeBytes;
    }

    long position() {
        return position;
    }

    boolean isAtEnd() {
        return position >= sizeBytes;
    }

    /** Whether the status at the position is known; else {@link #look}. */
    boolean isKnown() {
        return index < extents.count();
    }

    /** {@link BlockStatus} bits at the position. */
    int status() {
        return extents.status(index);
    }

    boolean isZero() {
        return (status() & BlockStatus.ZERO) != 0;
    }

    /** How far the status at the position holds. */
    long runBytes() {
        return Math.min(extents.extentLengthBytes(index) - usedBytes, sizeBytes - position);
    }

    /** Goes forward by at most {@link #runBytes}. */
    void advance(long lengthBytes) {
        position += lengthBytes;
        usedBytes += lengthBytes;
        if (usedBytes >= extents.extentLengthBytes(index)) {
            index++;
            usedBytes = 0;
        }
    }

    /** Goes forward without having looked: everything counts as data that is there. */
    void skip(long lengthBytes) {
        position += lengthBytes;
    }

    /** Goes forward to {@code target}, over what is known and what is not. */
    void goTo(long target) {
        while (position < target) {
            if (isKnown()) {
                advance(Math.min(runBytes(), target - position));
            } else {
                skip(target - position);
            }
        }
    }

    /** Asks for the status at the position, and on from there. */
    void look(Consumer<BlockError> then) {
        extents.clear();
        index = 0;
        usedBytes = 0;
        IoRequest request =
                loop.requests()
                        .acquire()
                        .prepare(IoOp.BLOCK_STATUS, position, sizeBytes - position, IoFlags.NONE)
                        .extents(extents);
        request.push(
                (ended, error) -> {
                    loop.requests().release(ended);
                    boolean isEmpty = error.isOk() && extents.count() == 0;
                    then.accept(isEmpty ? BlockError.EIO : error);
                });
        file.submit(request);
    }
}
