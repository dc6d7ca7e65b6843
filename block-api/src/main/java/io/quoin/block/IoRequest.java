package io.quoin.block;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One operation on a {@link BlockDevice}: pooled, mutable, and passed by reference from layer to
 * layer.
 *
 * <p>A request carries a stack of completions, one frame for each layer that wants to see it end
 * (as GlusterFS winds and unwinds its calls). {@link #push} adds a frame on the way down; {@link
 * #complete} takes the top one off and calls it, and a layer's completion calls {@link #complete}
 * again to pass the result up. So a layer that only looks on needs no object and no copy of the
 * request. A layer that must change offset, length or memory submits requests of its own.
 *
 * <p>Life: {@code acquired -> prepared (read(), write(), ...) -> push(submitter) -> submit ->
 * complete -> released}.
 *
 * <p>Threading: confined to the loop of the device that it was submitted to; before that, to its
 * submitter.
 */
public final class IoRequest {
    private static final int INITIAL_DEPTH = 8;

    private final IoVector memory = new IoVector();
    private IoOp op = IoOp.FLUSH;
    private long offsetBytes;
    private long lengthBytes;
    private int flags;
    private @Nullable ExtentList extents;

    private @Nullable IoCompletion[] frames = new IoCompletion[INITIAL_DEPTH];
    private long[] tokens = new long[INITIAL_DEPTH];
    private int depth;
    private long token;

    private @Nullable IoRequest next;
    private @Nullable Object attachment;

    /** Prepares a READ of {@code lengthBytes}; the caller adds that much {@link #memory}. */
    public IoRequest read(long newOffsetBytes, long newLengthBytes, int newFlags) {
        return prepare(IoOp.READ, newOffsetBytes, newLengthBytes, newFlags);
    }

    /** Prepares a WRITE of {@code lengthBytes}; the caller adds that much {@link #memory}. */
    public IoRequest write(long newOffsetBytes, long newLengthBytes, int newFlags) {
        return prepare(IoOp.WRITE, newOffsetBytes, newLengthBytes, newFlags);
    }

    public IoRequest flush() {
        return prepare(IoOp.FLUSH, 0, 0, IoFlags.NONE);
    }

    /** Prepares any operation: its range and flags; memory, extents and attachment are cleared. */
    public IoRequest prepare(IoOp newOp, long newOffsetBytes, long newLengthBytes, int newFlags) {
        Invariant.check(depth == 0, "request prepared while in flight");
        op = newOp;
        offsetBytes = newOffsetBytes;
        lengthBytes = newLengthBytes;
        flags = newFlags;
        memory.clear();
        extents = null;
        attachment = null;
        next = null;
        return this;
    }

    public IoOp op() {
        return op;
    }

    public long offsetBytes() {
        return offsetBytes;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    /** First byte behind the range. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }

    /** {@link IoFlags}. */
    public int flags() {
        return flags;
    }

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Memory of a READ or WRITE, exactly {@link #lengthBytes} long once prepared. */
    public IoVector memory() {
        return memory;
    }

    /**
     * Where BLOCK_STATUS, and READ with {@link IoFlags#SPARSE}, report; null for every other
     * request.
     */
    public @Nullable ExtentList extents() {
        return extents;
    }

    public IoRequest extents(ExtentList newExtents) {
        extents = newExtents;
        return this;
    }

    /** Adds a frame: {@code completion} is called when what lies below has ended. */
    public void push(IoCompletion completion) {
        push(completion, 0);
    }

    /**
     * As {@link #push(IoCompletion)}, with a number (a start time, a saved field) that {@link
     * #token} gives back.
     */
    public void push(IoCompletion completion, long newToken) {
        if (depth == frames.length) {
            frames = Arrays.copyOf(frames, depth * 2);
            tokens = Arrays.copyOf(tokens, depth * 2);
        }
        frames[depth] = completion;
        tokens[depth] = newToken;
        depth++;
    }

    /**
     * Ends what the caller did for the request: takes the top frame off and calls its completion.
     */
    public void complete(BlockError error) {
        Invariant.check(depth > 0, "request completed more than once");
        depth--;
        IoCompletion completion = frames[depth];
        frames[depth] = null;
        token = tokens[depth];
        Invariant.check(completion != null, "request without a completion");
        completion.onComplete(this, error);
    }

    /**
     * The token of the frame that is being completed; valid only at the start of its completion.
     */
    public long token() {
        return token;
    }

    /** Frames on the stack: 0 while nothing waits for it. */
    public int depth() {
        return depth;
    }

    /** The next in an intrusive list of the present holder. */
    public @Nullable IoRequest next() {
        return next;
    }

    public void next(@Nullable IoRequest newNext) {
        next = newNext;
    }

    /** Anything that the submitter wants to find again; layers below leave it alone. */
    public @Nullable Object attachment() {
        return attachment;
    }

    public void attachment(@Nullable Object newAttachment) {
        attachment = newAttachment;
    }

    @Override
    public String toString() {
        return op + " " + offsetBytes + "+" + lengthBytes + " " + IoFlags.toString(flags);
    }
}
