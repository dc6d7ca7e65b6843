package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.refcount.Refcounts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The bitmaps of an open image, and what has to be recorded.
 *
 * <pre>
 *  open         directory; for writing, tables and bits too
 *  first change the enabled ones are marked on disk as in use
 *  each change  a bit in memory, before the change is passed down
 *  close        stored ({@link BitmapStore}); one that is in use on disk is right again from then on
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class ImageBitmaps {
    /** Memory for the bits of all bitmaps of an image. */
    static final long MEMORY_BYTES_MAX = 64 << 20;

    private static final DirtyBits[] NONE = {};

    private final ImageIo io;
    private final MetadataMap map;
    private final HeaderStore header;
    private final Refcounts refcounts;
    private final BitmapDirectory directory;
    private final int clusterBits;
    private final List<StoredBitmap> all = new ArrayList<>();
    private ClusterRuns removed = new ClusterRuns();
    private boolean membershipChanged;
    private DirtyBits[] recording = NONE;
    private @Nullable BlockException loadFailure;

    public ImageBitmaps(ImageIo io, MetadataMap map, HeaderStore header, Refcounts refcounts) {
        this.io = io;
        this.map = map;
        this.header = header;
        this.refcounts = refcounts;
        this.directory = new BitmapDirectory(io, header);
        this.clusterBits = header.header().clusterBits();
    }

    /**
     * Reads the bitmaps.
     *
     * @param writable whether changes will be recorded: then bits are read too, and the clusters
     *     that hold bitmaps are entered in the map
     * @param outcome gets null, or why the bitmaps cannot be used
     */
    public void load(boolean writable, BitmapsLoaded outcome) {
        new BitmapsLoad(this, writable)
                .run(
                        failure -> {
                            loadFailure = failure;
                            outcome.loaded(failure);
                        });
    }

    /** Why it is not known what bitmaps there are; null: all are known. */
    @Nullable BlockException loadFailure() {
        return loadFailure;
    }

    /**
     * Whether the tables of all bitmaps on disk lie where nothing else is, as far as can be told;
     * known of an image that is open for writing.
     */
    public boolean areTablesTheirOwn() {
        return all.stream().allMatch(bitmap -> !bitmap.isOnDisk() || bitmap.isTableClaimed());
    }

    /** Where the table of each bitmap on disk is, and its number of entries. */
    public void forEachTable(ObjLongConsumer<Integer> action) {
        for (StoredBitmap bitmap : all) {
            action.accept(bitmap.tableEntries(), bitmap.tableOffset());
        }
    }

    /** Whether the disk may have no bitmaps for the moment. */
    public boolean isUpdating() {
        return directory.isUpdating();
    }

    /** Whether changes have to be recorded. */
    public boolean isRecording() {
        return recording.length != 0;
    }

    /** Records a change of the guest bytes from {@code from} to before {@code to}. */
    public void record(long from, long to) {
        if (from < to) {
            for (DirtyBits bits : recording) {
                bits.set(from, to);
            }
        }
    }

    /** Looks again which bitmaps record. */
    void refreshRecording() {
        List<DirtyBits> enabled = new ArrayList<>();
        for (StoredBitmap bitmap : all) {
            DirtyBits bits = bitmap.bits();
            if (bitmap.isEnabled() && bits != null) {
                enabled.add(bits);
            }
        }
        recording = enabled.toArray(NONE);
    }

    /** Whether {@link #markInUse} has something to do before the first change. */
    public boolean needsMark() {
        return all.stream().anyMatch(ImageBitmaps::losesTrackUnmarked);
    }

    /** Has the disk say of each enabled bitmap that it is in use. */
    public void markInUse(Outcome outcome) {
        markInUse(ImageBitmaps::losesTrackUnmarked, outcome);
    }

    private static boolean losesTrackUnmarked(StoredBitmap bitmap) {
        return bitmap.isEnabled() && bitmap.isOnDisk() && !bitmap.isInUseOnDisk();
    }

    /** Has the disk say of those that {@code which} selects that they are in use. */
    void markInUse(Predicate<StoredBitmap> which, Outcome outcome) {
        Set<String> names = new HashSet<>();
        for (StoredBitmap bitmap : all) {
            if (bitmap.isOnDisk() && !bitmap.isInUseOnDisk() && which.test(bitmap)) {
                names.add(bitmap.name);
            }
        }
        if (names.isEmpty()) {
            outcome.done(BlockError.OK);
            return;
        }
        List<BitmapEntry> entries = new ArrayList<>();
        for (BitmapEntry entry : directory.entries()) {
            entries.add(
                    names.contains(entry.name())
                            ? entry.withFlags(entry.flags() | BitmapDirectoryLayout.IN_USE)
                            : entry);
        }
        directory.update(
                entries,
                error -> {
                    if (error.isOk()) {
                        for (StoredBitmap bitmap : all) {
                            if (bitmap.isOnDisk() && names.contains(bitmap.name)) {
                                bitmap.flags(bitmap.flags() | BitmapDirectoryLayout.IN_USE);
                            }
                        }
                    }
                    outcome.done(error);
                });
    }

    /** Whether {@link #store} has something to do. */
    public boolean needsStore() {
        return membershipChanged || all.stream().anyMatch(StoredBitmap::needsStore);
    }

    /** Brings the disk up to date; no change may follow. */
    public void store(Outcome outcome) {
        recording = NONE;
        new BitmapStore(this).start(outcome);
    }

    /** The disk is up to date. */
    void stored() {
        for (StoredBitmap bitmap : all) {
            if (bitmap.bits() != null) {
                bitmap.flags(bitmap.flagsWhenStored());
            }
        }
        membershipChanged = false;
        removed = new ClusterRuns();
    }

    /** Why the image may not get another size; null: it may. */
    public @Nullable String resizeRefusal(long newSizeBytes) {
        for (StoredBitmap bitmap : all) {
            if (!bitmap.isUsable()) {
                return "bitmap " + bitmap.name + " is inconsistent or not understood: remove it";
            }
        }
        return memoryBytes(newSizeBytes) > MEMORY_BYTES_MAX
                ? "bitmaps would take more than " + MEMORY_BYTES_MAX + " bytes of memory"
                : null;
    }

    /**
     * Before the image becomes larger or smaller: no bitmap is right on disk for the new size, and
     * changes of the new part can be recorded. What is to go is marked: a shrink that fails
     * half-way has discarded some of it, and the old size stays. One that succeeds cuts these marks
     * off, but for the granule in which the new end lies.
     */
    public void beforeResize(long newSizeBytes, Outcome outcome) {
        markInUse(
                bitmap -> true,
                error -> {
                    if (error.isOk()) {
                        long sizeBytes = header.header().sizeBytes();
                        resized(Math.max(newSizeBytes, sizeBytes));
                        record(newSizeBytes, sizeBytes);
                    }
                    outcome.done(error);
                });
    }

    /** The image has this size, or has it again. */
    public void resized(long sizeBytes) {
        for (StoredBitmap bitmap : all) {
            DirtyBits bits = bitmap.bits();
            if (bits != null && bits.sizeBytes() != sizeBytes) {
                bits.resize(sizeBytes);
            }
        }
    }

    /** For a person: name, granularity and state of each. */
    public List<Map<String, Object>> details() {
        List<Map<String, Object>> details = new ArrayList<>();
        for (StoredBitmap bitmap : all) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", bitmap.name);
            entry.put("granularity", 1L << bitmap.granularityBits);
            entry.put("enabled", bitmap.isEnabled());
            entry.put("inconsistent", !bitmap.isUsable());
            details.add(entry);
        }
        return details;
    }

    /**
     * Memory for the bits of all usable bitmaps of an image of {@code sizeBytes}; above {@link
     * #MEMORY_BYTES_MAX} at least that much, as the sum over many bitmaps of a huge image has no
     * place in 64 bits.
     */
    long memoryBytes(long sizeBytes) {
        long sum = 0;
        for (int i = 0; i < all.size() && sum <= MEMORY_BYTES_MAX; i++) {
            StoredBitmap bitmap = all.get(i);
            sum += bitmap.isUsable() ? DirtyBits.memoryBytes(sizeBytes, bitmap.granularityBits) : 0;
        }
        return sum;
    }

    @Nullable StoredBitmap find(String name) {
        for (StoredBitmap bitmap : all) {
            if (bitmap.name.equals(name)) {
                return bitmap;
            }
        }
        return null;
    }

    /** The directory has been read. */
    void loaded(List<StoredBitmap> onDisk) {
        all.addAll(onDisk);
    }

    void add(StoredBitmap bitmap) {
        all.add(bitmap);
        membershipChanged = true;
        refreshRecording();
    }

    /** Takes a bitmap away; its clusters go when the directory is without it on disk. */
    void remove(StoredBitmap bitmap) {
        all.remove(bitmap);
        membershipChanged |= bitmap.isOnDisk();
        if (bitmap.isOnDisk() && bitmap.isTableClaimed()) {
            removed.add(bitmap.tableOffset() >>> clusterBits, clustersOf(bitmap.tableEntries()));
        }
        for (long entry : bitmap.table()) {
            long hostOffset = BitmapDirectoryLayout.dataHostOffset(entry);
            if (hostOffset != 0) {
                removed.add(hostOffset >>> clusterBits);
            }
        }
        refreshRecording();
    }

    /** Clusters of a table with so many entries. */
    int clustersOf(int tableEntries) {
        long bytes = (long) tableEntries * BitmapDirectoryLayout.TABLE_ENTRY_BYTES;
        return (int) ((bytes + (1L << clusterBits) - 1) >>> clusterBits);
    }

    /** The directory of now, with flags for bitmaps that are not in use. */
    List<BitmapEntry> entriesWhenStored() {
        List<BitmapEntry> entries = new ArrayList<>();
        for (StoredBitmap bitmap : all) {
            boolean isStored = bitmap.bits() != null;
            entries.add(bitmap.entry(isStored ? bitmap.flagsWhenStored() : bitmap.flags()));
        }
        return entries;
    }

    void dropDirectory(ClusterRuns into) {
        BitmapsExtension now = directory.extension();
        if (now != null) {
            into.add(
                    now.directoryOffset() >>> clusterBits, directory.clusters(directory.entries()));
        }
    }

    BlockException failure(BlockError error, String what) {
        return new BlockException(error, what + ": file=" + io.file().fileName());
    }

    List<StoredBitmap> all() {
        return all;
    }

    boolean isMembershipChanged() {
        return membershipChanged;
    }

    ClusterRuns removedClusters() {
        return removed;
    }

    BitmapDirectory directory() {
        return directory;
    }

    ImageIo io() {
        return io;
    }

    MetadataMap map() {
        return map;
    }

    HeaderStore header() {
        return header;
    }

    Refcounts refcounts() {
        return refcounts;
    }

    int clusterBits() {
        return clusterBits;
    }
}
