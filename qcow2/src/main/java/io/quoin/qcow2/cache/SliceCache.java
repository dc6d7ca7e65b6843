package io.quoin.qcow2.cache;

import io.quoin.qcow2.io.Steps;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the slices of all images of a loop, which a clock goes round: what was used since it
 * last came by stays, whichever image it is of.
 *
 * <p>A slice is in use while it is loaded, pinned or changed. Reads have to find room whatever
 * writers hold, so changed and pinned slices of mappings get a quarter at most ({@link
 * #isHeldFull}); what is beyond that waits, and the images that hold changed slices are asked to
 * write them. A load ends without another slice, so that one that waits for room comes to its turn.
 * Refcounts always get a slice, beyond the limit if need be ({@link #take}): rounds of the flusher
 * depend on them. Why none waits for ever is told in docs/adr/0014.
 *
 * <p>Threading: confined(loop), except {@link #close}.
 */
public final class SliceCache {
    public static final int SLICE_BYTES = 4096;

    /** Memory is taken from the process in such pieces. */
    static final int CHUNK_BYTES = 256 << 10;

    private static final int CHUNK_SLICES = CHUNK_BYTES / SLICE_BYTES;
    private static final int DIRTY_MIN = 4;
    private static final int DIRTY_MAX = (8 << 20) / SLICE_BYTES;

    private static final ByteBuffer ZERO_SLICE =
            BufferUtil.allocateDirectAligned(SLICE_BYTES, SLICE_BYTES);

    private final Loop loop;
    private final ProcessMemory memory;
    private final int slicesMax;
    private final Runnable pump = this::pump;
    private final List<ByteBuffer> chunks = new ArrayList<>();
    private final List<SliceSet> sets = new ArrayList<>();
    private final ArrayDeque<Slice> spare = new ArrayDeque<>();
    private ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private ArrayDeque<Waiter> heldWaiters = new ArrayDeque<>();
    private long[] frames = new long[CHUNK_SLICES];
    private int frameCount;
    private int mappings;
    private int counts;
    private int held;
    private int heldCounts;
    private int stuck;
    private int dirtySets;
    private int loading;
    private int setHand;
    private boolean pumping;
    private volatile int chunkCount;

    /**
     * @param loops how many loops share the memory
     */
    public SliceCache(Loop loop, ProcessMemory memory, int loops) {
        this.loop = loop;
        this.memory = memory;
        long bytes = memory.limitBytes(MemoryUse.CACHE) / loops;
        this.slicesMax = (int) Math.max(CHUNK_SLICES, Math.min(bytes / SLICE_BYTES, 1 << 30));
    }

    /**
     * A set for one image.
     *
     * @param fileLoop the loop as the image's file has it: errors of the image's own go there
     */
    public SliceSet open(
            SliceSet.Kind kind, long bytesMax, Loop fileLoop, Consumer<Slice> evicted) {
        SliceSet set = new SliceSet(this, kind, bytesMax, fileLoop, evicted);
        sets.add(set);
        return set;
    }

    void closed(SliceSet set) {
        sets.remove(set);
        set.stuck(false);
        setHand = 0;
        changed();
    }

    /** Gives the memory back, once no image is open. */
    public void close() {
        memory.giveBack(MemoryUse.CACHE, (long) chunkCount * CHUNK_BYTES);
        chunkCount = 0;
    }

    /** Memory with zeros that is never changed. */
    static long zeroAddress() {
        return BufferUtil.address(ZERO_SLICE);
    }

    @Nullable Slice tryTake(SliceSet set) {
        Slice slice = set.count() >= set.countMax ? set.evict() : null;
        if (slice == null && mappings < mappingsMax()) {
            slice = fromMemory(false);
        }
        return slice == null ? victim() : slice;
    }

    /** Null only if the machine has no memory. */
    @Nullable Slice take(SliceSet set) {
        Slice slice = set.count() >= set.countMax ? set.evict() : fromMemory(false);
        if (slice == null) {
            slice = victim();
        }
        return slice == null ? fromMemory(true) : slice;
    }

    /** Slices of mappings; what refcounts use is taken off, but not more than half of all. */
    private int mappingsMax() {
        return Math.max(slicesMax / 2, slicesMax - counts) + stuck;
    }

    private @Nullable Slice victim() {
        long tries = 2L * (mappings + counts) + 2L * sets.size() + 2;
        while (tries-- > 0 && !sets.isEmpty()) {
            SliceSet set = sets.get(setHand);
            if (set.isAtEnd()) {
                set.rewind();
                setHand = setHand + 1 < sets.size() ? setHand + 1 : 0;
                continue;
            }
            Slice gone = set.step();
            if (gone != null) {
                return gone;
            }
        }
        return null;
    }

    private @Nullable Slice fromMemory(boolean beyond) {
        Slice slice = spare.pollLast();
        if (slice != null) {
            return slice;
        }
        long address = frame(beyond);
        return address == 0 ? null : new Slice(address);
    }

    /** Memory for one slice that belongs to no set; 0: there is none. */
    long takeFrame() {
        Slice slice = spare.pollLast();
        return slice == null ? frame(true) : slice.address;
    }

    private long frame(boolean beyond) {
        if (frameCount == 0 && !addChunk(beyond)) {
            return 0;
        }
        return frames[--frameCount];
    }

    void keepFrame(long address) {
        if (frameCount == frames.length) {
            frames = Arrays.copyOf(frames, frameCount * 2);
        }
        frames[frameCount++] = address;
        changed();
    }

    void keepSpare(Slice slice) {
        spare.addLast(slice);
        changed();
    }

    private boolean isChunkWithin() {
        long left = memory.limitBytes(MemoryUse.CACHE) - memory.usedBytes(MemoryUse.CACHE);
        return (long) (chunks.size() + 1) * CHUNK_SLICES <= slicesMax && left >= CHUNK_BYTES;
    }

    private boolean addChunk(boolean beyond) {
        boolean within = isChunkWithin() && memory.tryTake(MemoryUse.CACHE, CHUNK_BYTES);
        if (!within && !beyond && !chunks.isEmpty()) {
            return false;
        }
        if (!within) {
            memory.take(MemoryUse.CACHE, CHUNK_BYTES);
        }
        try {
            chunks.add(BufferUtil.allocateDirectAligned(CHUNK_BYTES, SLICE_BYTES));
        } catch (OutOfMemoryError e) {
            // The JVM's limit on such memory; the heap has its own, which ends the process.
            memory.giveBack(MemoryUse.CACHE, CHUNK_BYTES);
            return false;
        }
        chunkCount = chunks.size();
        long address = BufferUtil.address(chunks.get(chunks.size() - 1));
        for (int at = CHUNK_BYTES - SLICE_BYTES; at >= 0; at -= SLICE_BYTES) {
            keepFrame(address + at);
        }
        return true;
    }

    /** Whether nothing can come free: there is no memory at all. */
    boolean isOutOfMemory() {
        return mappings + counts == 0;
    }

    /** Resumes {@code waiter} when a slice can be taken. */
    void await(SliceSet set, Steps waiter) {
        waiters.add(new Waiter(set, waiter));
        changed();
    }

    /** Whether so much is changed or pinned that no more may be. */
    public boolean isHeldFull() {
        return held >= heldMax();
    }

    private int heldMax() {
        return slicesMax / 4;
    }

    /** Resumes {@code waiter} when more may be changed. */
    void awaitHeld(SliceSet set, Steps waiter) {
        heldWaiters.add(new Waiter(set, waiter));
        changed();
    }

    /** How many slices of one set may be changed before they are written. */
    int dirtyMax(SliceSet set) {
        int share =
                set.kind == SliceSet.Kind.MAPPING
                        ? Math.max(0, heldMax() - stuck) / (dirtySets + 1)
                        : slicesMax / 8 / sets.size();
        return Math.max(DIRTY_MIN, Math.min(Math.min(DIRTY_MAX, set.countMax / 4), share));
    }

    void countChanged(SliceSet set, int by) {
        if (set.kind == SliceSet.Kind.MAPPING) {
            mappings += by;
        } else {
            counts += by;
        }
    }

    void loadingChanged(int by) {
        loading += by;
        if (by < 0) {
            changed();
        }
    }

    void heldChanged(SliceSet set, int by) {
        if (set.kind == SliceSet.Kind.COUNTS) {
            heldCounts += by;
        } else if (set.isStuck()) {
            stuck += by;
        } else {
            held += by;
            if (set.held() == Math.max(0, by)) {
                dirtySets += by;
            }
        }
        if (by < 0) {
            changed();
        }
    }

    void stuckChanged(SliceSet set, boolean now) {
        int by = now ? set.held() : -set.held();
        if (set.kind == SliceSet.Kind.MAPPING && by != 0) {
            stuck += by;
            held -= by;
            dirtySets += now ? -1 : 1;
            changed();
        }
    }

    private boolean hasRoom() {
        boolean canGrow =
                mappings < mappingsMax() && (frameCount > 0 || !spare.isEmpty() || isChunkWithin());
        return canGrow || mappings + counts - held - heldCounts - stuck - loading > 0;
    }

    /** Not from inside: a waiter that is resumed would come between the steps of the caller. */
    private void changed() {
        if (!pumping && !(waiters.isEmpty() && heldWaiters.isEmpty())) {
            pumping = true;
            loop.execute(pump);
        }
    }

    private void pump() {
        pumping = false;
        if (!heldWaiters.isEmpty()) {
            if (isHeldFull()) {
                for (int i = 0; i < sets.size(); i++) {
                    if (sets.get(i).held() > 0) {
                        sets.get(i).writeSoon();
                    }
                }
            }
            ArrayDeque<Waiter> now = heldWaiters;
            heldWaiters = new ArrayDeque<>();
            while (!now.isEmpty() && !isHeldFull()) {
                now.remove().resume();
            }
            now.addAll(heldWaiters);
            heldWaiters = now;
        }
        ArrayDeque<Waiter> now = waiters;
        waiters = new ArrayDeque<>();
        while (!now.isEmpty() && hasRoom()) {
            now.remove().resume();
        }
        now.addAll(waiters);
        waiters = now;
    }

    /** One that waits, and for which image: an exception of one must not reach the next. */
    private record Waiter(SliceSet set, Steps steps) {
        void resume() {
            set.guarded(steps::resume);
        }
    }
}
