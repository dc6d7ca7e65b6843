package io.quoin.qcow2.cache;

import io.quoin.qcow2.io.Steps;
import java.util.ArrayList;
import java.util.List;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * A slice of an L2 table or of a refcount block in memory, off the heap and in the byte order of
 * the disk.
 *
 * <pre>
 *  LOADING --read--> CLEAN --changed--> DIRTY --written--> CLEAN --evicted, if not pinned--> gone
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class Slice {
    final List<Steps> waiters = new ArrayList<>(2);

    /** Where its bytes are: {@link SliceCache#SLICE_BYTES} of memory. */
    long address;

    /** Whose it is, and its place there; null: a spare one. */
    @Nullable SliceSet set;

    int at;

    /** Which of the slices of its set. */
    long index;

    /** Where a slice that is being loaded comes from. */
    long sourceHostOffset;

    /** Number of the flush that must have succeeded before this slice is written. */
    long flushNeeded;

    boolean loading;

    /** The clock spares it once. */
    boolean referenced;

    /** It was loaded for a use that is still to come, which earns it nothing. */
    boolean isNew;

    /** Its memory is being written: a change needs other memory. */
    boolean staged;

    private boolean dirty;
    private int pins;

    Slice(long address) {
        this.address = address;
    }

    /** Which of the slices of its kind this is. */
    public long index() {
        return index;
    }

    public long address() {
        return address;
    }

    /** The word at {@code word}, of those in this slice; changed only by {@link MappingTables}. */
    public long entry(int word) {
        return Long.reverseBytes(UnsafeApi.getLong(address + 8L * word));
    }

    void entry(int word, long entry) {
        UnsafeApi.putLong(address + 8L * word, Long.reverseBytes(entry));
    }

    /** It is looked at. The first time counts only as what it was loaded for. */
    public void touch() {
        if (isNew) {
            isNew = false;
        } else {
            referenced = true;
        }
    }

    /** Keeps it in memory while a request that will change it waits. */
    public void pin() {
        boolean before = isHeld();
        pins++;
        heldChanged(before);
    }

    public void unpin() {
        boolean before = isHeld();
        pins--;
        heldChanged(before);
    }

    /** Whether it differs from the disk, as far as writes have been submitted. */
    public boolean isDirty() {
        return dirty;
    }

    public void dirty(boolean now) {
        boolean before = isHeld();
        dirty = now;
        heldChanged(before);
    }

    /** Starts a read into it; it stays until the end of that. */
    public void loading(boolean now) {
        loading = now;
        SliceSet mine = set;
        if (mine != null) {
            mine.loadingChanged(now ? 1 : -1);
        }
    }

    private void heldChanged(boolean before) {
        SliceSet mine = set;
        if (mine != null && before != isHeld()) {
            mine.heldChanged(before ? -1 : 1);
        }
    }

    boolean isHeld() {
        return dirty || pins > 0;
    }

    boolean isEvictable() {
        return !dirty && pins == 0 && !loading;
    }

    /** As one that was never used. */
    void reset() {
        set = null;
        dirty = false;
        pins = 0;
        loading = false;
        staged = false;
        flushNeeded = 0;
        waiters.clear();
    }
}
