package io.quoin.qcow2.cache;

import io.quoin.block.Invariant;
import io.quoin.qcow2.io.Steps;
import io.quoin.xlator.loop.Loop;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The slices of one kind of one image that are in memory.
 *
 * <p>Threading: confined(loop).
 */
public final class SliceSet {
    /** What the slices are of, which decides what may hold how many. */
    public enum Kind {
        /** Changed ones stay until a round of the flusher, which needs no slice. */
        MAPPING,
        /** Changed ones can be written at any time; a flusher's round may need some. */
        COUNTS
    }

    private static final int SLICES_MIN = 8;

    final SliceCache cache;
    final Kind kind;
    final int countMax;
    private final Loop fileLoop;
    private final Consumer<Slice> evicted;
    private Slice[] slices = new Slice[8];
    private int count;
    private int held;
    private int hand;
    private boolean stuck;
    private Runnable writeSoon = () -> {};

    /**
     * @param bytesMax at most so much of the cache
     * @param evicted told of each that leaves before it does
     */
    SliceSet(SliceCache cache, Kind kind, long bytesMax, Loop fileLoop, Consumer<Slice> evicted) {
        this.cache = cache;
        this.kind = kind;
        this.countMax =
                (int) Math.max(SLICES_MIN, Math.min(bytesMax / SliceCache.SLICE_BYTES, 1 << 30));
        this.fileLoop = fileLoop;
        this.evicted = evicted;
    }

    /** What to do when others need room: have the changed ones written. */
    public void whenRoomIsShort(Runnable action) {
        writeSoon = action;
    }

    /** A slice with undefined content; null: {@link #await} one. */
    public @Nullable Slice tryTake(long index) {
        return join(cache.tryTake(this), index);
    }

    /** As {@link #tryTake}, beyond what is meant for the cache if need be. */
    public @Nullable Slice take(long index) {
        return join(cache.take(this), index);
    }

    private @Nullable Slice join(@Nullable Slice slice, long index) {
        if (slice == null) {
            return null;
        }
        if (count == slices.length) {
            slices = Arrays.copyOf(slices, count * 2);
        }
        slice.set = this;
        slice.index = index;
        slice.at = count;
        slice.isNew = true;
        slice.referenced = false;
        slices[count++] = slice;
        cache.countChanged(this, 1);
        return slice;
    }

    /** Resumes {@code waiter} when there may be room. */
    public void await(Steps waiter) {
        cache.await(this, waiter);
    }

    /** Resumes {@code waiter} when more of the loop's slices may be changed. */
    public void awaitHeld(Steps waiter) {
        cache.awaitHeld(this, waiter);
    }

    /** Lets one go whose content is not wanted any more. */
    public void drop(Slice slice) {
        remove(slice);
        cache.keepSpare(slice);
    }

    /** Goes twice round this set for one that can go, out of the set by then; null: none can. */
    @Nullable Slice evict() {
        for (int tries = 2 * count; tries > 0 && held < count; tries--) {
            if (isAtEnd()) {
                rewind();
            }
            Slice gone = step();
            if (gone != null) {
                return gone;
            }
        }
        return null;
    }

    /** Whether the hand of the clock is behind the last slice, or none of them can go. */
    boolean isAtEnd() {
        return hand >= count || held == count;
    }

    void rewind() {
        hand = 0;
    }

    /** The hand goes one slice on; that slice if it has to go, out of the set by then. */
    @Nullable Slice step() {
        Slice slice = slices[hand];
        if (slice.isEvictable()) {
            if (!slice.referenced) {
                evicted.accept(slice);
                remove(slice);
                return slice;
            }
            slice.referenced = false;
        }
        hand++;
        return null;
    }

    private void remove(Slice slice) {
        Invariant.check(slice.set == this, "slice of another set");
        if (slice.isHeld()) {
            heldChanged(-1);
        }
        if (slice.loading) {
            loadingChanged(-1);
        }
        count--;
        Slice last = slices[count];
        slices[slice.at] = last;
        last.at = slice.at;
        cache.countChanged(this, -1);
        slice.reset();
    }

    /** Lets all go: the image is closed. */
    public void close() {
        while (count > 0) {
            Slice slice = slices[count - 1];
            remove(slice);
            cache.keepSpare(slice);
        }
        cache.closed(this);
    }

    void heldChanged(int by) {
        held += by;
        cache.heldChanged(this, by);
    }

    void loadingChanged(int by) {
        cache.loadingChanged(by);
    }

    /**
     * Whether its changed slices cannot be written, for now or for ever: no request waits for them
     * to go.
     */
    void stuck(boolean now) {
        if (stuck != now) {
            cache.stuckChanged(this, now);
            stuck = now;
        }
    }

    /** Whether so many are changed that they have to be written before more are. */
    public boolean isDirtyFull(int dirty) {
        return dirty > cache.dirtyMax(this);
    }

    boolean isStuck() {
        return stuck;
    }

    int count() {
        return count;
    }

    int held() {
        return held;
    }

    void writeSoon() {
        guarded(writeSoon);
    }

    /** Runs what is this image's own; an exception in it is too. */
    void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            fileLoop.raise(e);
        }
    }
}
