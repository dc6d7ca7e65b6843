package io.quoin.qcow2.bitmap;

import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.OpaqueBytes;
import org.jspecify.annotations.Nullable;

/**
 * A bitmap of an open image: what the disk says of it, and its bits in memory if it can be used.
 *
 * <pre>
 *  USABLE        bits in memory are right once they are loaded
 *  INCONSISTENT  was in use when the image was not closed, or its table is broken: kept, never used
 *  FOREIGN       carries extra data that are not understood here and may not be ignored: kept as it is
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class StoredBitmap {
    enum State {
        USABLE,
        INCONSISTENT,
        FOREIGN
    }

    private static final long[] NO_TABLE = {};

    final String name;
    final int granularityBits;
    private final OpaqueBytes extraData;
    private State state;
    private boolean enabled;
    private @Nullable DirtyBits bits;

    /** What is on disk; 0 entries of one that is not there yet. */
    private boolean onDisk;

    private int flags;
    private long tableOffset;
    private int tableEntries;
    private long[] table = NO_TABLE;
    private boolean tableClaimed;

    /** One that is on disk. */
    StoredBitmap(BitmapEntry entry) {
        this.name = entry.name();
        this.granularityBits = entry.granularityBits();
        this.extraData = entry.extraData();
        this.onDisk = true;
        this.flags = entry.flags();
        this.tableOffset = entry.tableOffset();
        this.tableEntries = entry.tableEntries();
        this.enabled = entry.isAuto();
        boolean understood =
                extraData.lengthBytes() == 0
                        || (flags & BitmapDirectoryLayout.EXTRA_DATA_COMPATIBLE) != 0;
        if (entry.isInUse()) {
            this.state = State.INCONSISTENT;
        } else {
            this.state = understood ? State.USABLE : State.FOREIGN;
        }
    }

    /** A new one without a mark. */
    StoredBitmap(String name, long sizeBytes, int granularityBits, boolean enabled) {
        this.name = name;
        this.granularityBits = granularityBits;
        this.extraData = OpaqueBytes.EMPTY;
        this.state = State.USABLE;
        this.enabled = enabled;
        this.bits = new DirtyBits(sizeBytes, granularityBits);
    }

    State state() {
        return state;
    }

    boolean isUsable() {
        return state == State.USABLE;
    }

    /** It cannot be used any more. */
    void inconsistent() {
        state = State.INCONSISTENT;
        bits = null;
    }

    boolean isEnabled() {
        return enabled;
    }

    void enabled(boolean newEnabled) {
        enabled = newEnabled;
    }

    /** Its bits; null: it cannot be used, or they are not loaded yet. */
    @Nullable DirtyBits bits() {
        return bits;
    }

    /** Its table has been read, and its bits, unless it cannot be used. */
    void loaded(@Nullable DirtyBits loadedBits, long[] loadedTable) {
        bits = loadedBits;
        table = loadedTable;
    }

    boolean isOnDisk() {
        return onDisk;
    }

    boolean isInUseOnDisk() {
        return onDisk && (flags & BitmapDirectoryLayout.IN_USE) != 0;
    }

    long tableOffset() {
        return tableOffset;
    }

    int tableEntries() {
        return tableEntries;
    }

    /** The entries of the table on disk; none if they were not loaded. */
    long[] table() {
        return table;
    }

    /** Whether the clusters of the table on disk are its own as far as can be told. */
    boolean isTableClaimed() {
        return tableClaimed;
    }

    /** If another structure is there too, it cannot be used. */
    void tableClaimed(boolean claimed) {
        tableClaimed = claimed;
        if (!claimed && isUsable()) {
            inconsistent();
        }
    }

    /** It is stored, with its table at {@code newTableOffset}. */
    void placed(long newTableOffset, long[] newTable) {
        onDisk = true;
        tableClaimed = true;
        tableOffset = newTable.length == 0 ? 0 : newTableOffset;
        tableEntries = newTable.length;
        table = newTable;
    }

    /** Whether memory and disk differ, or may come to without notice. */
    boolean needsStore() {
        DirtyBits loaded = bits;
        return isUsable()
                && loaded != null
                && (!onDisk || loaded.isChanged() || flags != flagsWhenStored());
    }

    /** The flags of one whose bits on disk are right. */
    int flagsWhenStored() {
        int kept = flags & BitmapDirectoryLayout.EXTRA_DATA_COMPATIBLE;
        return enabled ? kept | BitmapDirectoryLayout.AUTO : kept;
    }

    int flags() {
        return flags;
    }

    void flags(int newFlags) {
        flags = newFlags;
    }

    /** Its entry in the directory, with {@code entryFlags}. */
    BitmapEntry entry(int entryFlags) {
        return new BitmapEntry(
                tableOffset, tableEntries, entryFlags, granularityBits, name, extraData);
    }
}
