package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bitmap directory, and for writing the bitmaps in it.
 *
 * <p>Threading: confined(loop).
 */
final class BitmapsLoad extends BitmapTask {
    private enum State {
        DIRECTORY,
        PARSE,
        BITMAPS,
        DONE
    }

    private final ImageBitmaps image;
    private final boolean writable;
    private final ReadBuffer buffer = new ReadBuffer();
    private State state = State.DIRECTORY;
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private @Nullable BlockException failure;
    private int next;

    BitmapsLoad(ImageBitmaps image, boolean writable) {
        this.image = image;
        this.writable = writable;
    }

    /** One that reads the bits of bitmaps whose directory has been read. */
    static BitmapsLoad ofBits(ImageBitmaps image) {
        BitmapsLoad load = new BitmapsLoad(image, false);
        load.state = State.BITMAPS;
        return load;
    }

    void run(BitmapsLoaded outcome) {
        start(
                error -> {
                    BlockException known = failure;
                    if (known == null && !error.isOk()) {
                        known = image.failure(error, "bitmaps cannot be read");
                    }
                    outcome.loaded(known);
                });
    }

    @Override
    protected boolean work() {
        BitmapsExtension extension = image.directory().extension();
        if (extension == null || failure != null) {
            return false;
        }
        switch (state) {
            case DIRECTORY -> readDirectory(extension);
            case PARSE -> parse(extension);
            case BITMAPS -> loadNext();
            case DONE -> {
                image.refreshRecording();
                return false;
            }
        }
        return true;
    }

    private void readDirectory(BitmapsExtension extension) {
        if (extension.directorySizeBytes() > BitmapDirectory.SIZE_BYTES_MAX) {
            failure =
                    image.failure(
                            BlockError.ENOTSUP,
                            "bitmap directory: size="
                                    + extension.directorySizeBytes()
                                    + ", expected=at most "
                                    + BitmapDirectory.SIZE_BYTES_MAX);
            return;
        }
        long cluster = 1L << image.clusterBits();
        long length = (extension.directorySizeBytes() + cluster - 1) & -cluster;
        bytes = buffer.ofAtLeast((int) length);
        bytes.limit((int) extension.directorySizeBytes());
        state = State.PARSE;
        await();
        image.io()
                .read(
                        extension.directoryOffset(),
                        BufferUtil.address(bytes),
                        (int) length,
                        this::answer);
    }

    private void parse(BitmapsExtension extension) {
        List<BitmapEntry> entries;
        try {
            entries =
                    BitmapDirectoryLayout.parse(
                            bytes, extension, 1 << image.clusterBits(), image.io().fileSizeBytes());
        } catch (BlockException e) {
            failure = image.failure(e.error(), String.valueOf(e.getMessage()));
            return;
        }
        image.directory().loaded(entries);
        List<StoredBitmap> bitmaps = new ArrayList<>();
        entries.forEach(entry -> bitmaps.add(new StoredBitmap(entry)));
        if (writable && !hasRoomFor(bitmaps)) {
            return;
        }
        if (writable && !claim(extension, bitmaps)) {
            failure =
                    image.failure(
                            BlockError.EIO,
                            "image is corrupt: bitmap directory overlaps other metadata:"
                                    + " hostOffset="
                                    + extension.directoryOffset()
                                    + "; open it read-only, or see quoin image check");
            return;
        }
        image.loaded(bitmaps);
        state = writable ? State.BITMAPS : State.DONE;
    }

    private boolean hasRoomFor(List<StoredBitmap> bitmaps) {
        long clusters = 0;
        for (StoredBitmap bitmap : bitmaps) {
            clusters += image.clustersOf(bitmap.tableEntries());
        }
        if (!image.map().hasRoom(clusters)) {
            failure =
                    image.failure(
                            BlockError.ENOTSUP,
                            "tables of bitmaps are too long to be kept track of, open the image"
                                    + " read-only: clusters="
                                    + clusters
                                    + ", expected=with all metadata within "
                                    + MetadataMap.GROUPS_AT_OPEN_MAX
                                    + " groups of 16");
        }
        return failure == null;
    }

    private boolean claim(BitmapsExtension extension, List<StoredBitmap> bitmaps) {
        int bits = image.clusterBits();
        long size = extension.directorySizeBytes();
        long clusters = (size + (1L << bits) - 1) >>> bits;
        if (!image.map()
                .addAll(extension.directoryOffset() >>> bits, clusters, MetadataKind.BITMAP)) {
            return false;
        }
        for (StoredBitmap bitmap : bitmaps) {
            int tableClusters = image.clustersOf(bitmap.tableEntries());
            long first = bitmap.tableOffset() >>> bits;
            boolean free = !image.map().containsAny(first, tableClusters);
            if (free) {
                image.map().addAll(first, tableClusters, MetadataKind.BITMAP);
            }
            bitmap.tableClaimed(free);
        }
        return true;
    }

    private boolean hasMemory() {
        long needed = image.memoryBytes(image.header().header().sizeBytes());
        if (needed > ImageBitmaps.MEMORY_BYTES_MAX) {
            failure =
                    image.failure(
                            BlockError.ENOTSUP,
                            (writable
                                            ? "bitmaps are too large to be kept up to date, open"
                                                    + " the image read-only"
                                            : "bitmaps are too large to be read")
                                    + ": memory=at least "
                                    + needed
                                    + ", expected=at most "
                                    + ImageBitmaps.MEMORY_BYTES_MAX);
        }
        return failure == null;
    }

    private void loadNext() {
        if (next == 0 && !hasMemory()) {
            return;
        }
        if (next == image.all().size()) {
            state = State.DONE;
            return;
        }
        StoredBitmap bitmap = image.all().get(next++);
        if (bitmap.isUsable() && bitmap.bits() == null) {
            await();
            new BitmapLoad(
                            image.io(),
                            writable ? image.map() : null,
                            bitmap,
                            image.header().header().sizeBytes(),
                            image.clusterBits(),
                            buffer)
                    .start(this::answer);
        }
    }
}
