package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What can be done to the bitmaps of an open image; one thing after the other.
 *
 * <p>Before bits or flags of a bitmap change in memory, the disk says that it is in use: a crash
 * then never leaves one that looks right and is not.
 *
 * <p>Threading: confined(loop).
 */
public final class BitmapOperations implements BitmapControl {
    private static final int GRANULARITY_DEFAULT_MIN = 4096;
    private static final int GRANULARITY_DEFAULT_MAX = 64 << 10;

    private final ImageBitmaps image;
    private final Consumer<Outcome> gate;
    private CompletionStage<Void> last = CompletableFuture.completedFuture(null);

    /**
     * @param gate is told OK once the image may be changed
     */
    public BitmapOperations(ImageBitmaps image, Consumer<Outcome> gate) {
        this.image = image;
        this.gate = gate;
    }

    @Override
    public CompletionStage<List<BitmapInfo>> list() {
        return withBits()
                .thenApply(
                        nothing -> {
                            List<BitmapInfo> list = new ArrayList<>();
                            for (StoredBitmap bitmap : image.all()) {
                                list.add(describe(bitmap));
                            }
                            return list;
                        });
    }

    @Override
    public boolean hasStale() {
        Qcow2Header header = image.header().header();
        return !header.bitmapsConsistent() && header.extension(HeaderExtension.BITMAPS) != null;
    }

    @Override
    public CompletionStage<Void> requireRoomFor(List<BitmapInfo> wanted) {
        try {
            requireRoom(wanted);
            return CompletableFuture.completedFuture(null);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static BitmapInfo describe(StoredBitmap bitmap) {
        DirtyBits bits = bitmap.bits();
        return new BitmapInfo(
                bitmap.name,
                1L << bitmap.granularityBits,
                bitmap.isEnabled(),
                !bitmap.isUsable(),
                bits == null ? -1 : bits.dirtyBytes());
    }

    /** Has the bits of all usable bitmaps in memory, also of an image that is open read-only. */
    private CompletionStage<Void> withBits() {
        BlockException unknown = image.loadFailure();
        if (unknown != null) {
            return CompletableFuture.failedFuture(unknown);
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        BitmapsLoad.ofBits(image).run(failure -> complete(done, failure));
        return done;
    }

    private static void complete(CompletableFuture<Void> done, @Nullable BlockException failure) {
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure);
        }
    }

    @Override
    public CompletionStage<Void> add(String name, long granularityBytes, boolean enabled) {
        long granularity =
                granularityBytes == GRANULARITY_DEFAULT ? defaultGranularity() : granularityBytes;
        return change(
                () -> requireRoom(List.of(new BitmapInfo(name, granularity, enabled, false, 0))),
                () -> {
                    image.add(
                            new StoredBitmap(
                                    name,
                                    image.header().header().sizeBytes(),
                                    Long.numberOfTrailingZeros(granularity),
                                    enabled));
                    return CompletableFuture.completedFuture(null);
                });
    }

    private long defaultGranularity() {
        return Math.min(
                GRANULARITY_DEFAULT_MAX,
                Math.max(GRANULARITY_DEFAULT_MIN, 1L << image.clusterBits()));
    }

    private void requireRoom(List<BitmapInfo> wanted) {
        if (wanted.isEmpty()) {
            return;
        }
        Qcow2Header header = image.header().header();
        if (header.version() < 3) {
            throw image.failure(BlockError.ENOTSUP, "version 2 images cannot have bitmaps");
        }
        // The image must not get a directory with which it could not be opened for writing again.
        List<BitmapEntry> entries = image.entriesWhenStored();
        long memory = image.memoryBytes(header.sizeBytes());
        for (BitmapInfo bitmap : wanted) {
            requireNew(bitmap.name(), bitmap.granularityBytes());
            int granularityBits = Long.numberOfTrailingZeros(bitmap.granularityBytes());
            memory += DirtyBits.memoryBytes(header.sizeBytes(), granularityBits);
            requireAtMost(
                    ImageBitmaps.MEMORY_BYTES_MAX,
                    memory,
                    "bitmaps would take too much memory: bitmap=" + bitmap.name() + ", memory=");
            entries.add(
                    new BitmapEntry(0, 0, 0, granularityBits, bitmap.name(), OpaqueBytes.EMPTY));
        }
        requireAtMost(BitmapsExtension.BITMAPS_MAX, entries.size(), "too many bitmaps: count=");
        requireAtMost(
                BitmapDirectory.SIZE_BYTES_MAX,
                BitmapDirectoryLayout.sizeBytes(entries),
                "bitmap directory would be too large: size=");
        image.directory().requireRoom();
    }

    private void requireAtMost(long most, long actual, String what) {
        if (actual > most) {
            throw image.failure(BlockError.ENOSPC, what + actual + ", expected=at most " + most);
        }
    }

    private void requireNew(String name, long granularityBytes) {
        int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (nameBytes < 1
                || nameBytes > BitmapDirectoryLayout.NAME_BYTES_MAX
                || name.indexOf('\0') >= 0) {
            throw image.failure(
                    BlockError.EINVAL,
                    "bitmap name: length=" + nameBytes + ", expected=1..1023 bytes without NUL");
        }
        if (Long.bitCount(granularityBytes) != 1
                || granularityBytes < 1L << BitmapDirectoryLayout.GRANULARITY_BITS_MIN
                || granularityBytes > 1L << BitmapDirectoryLayout.GRANULARITY_BITS_MAX) {
            throw image.failure(
                    BlockError.EINVAL,
                    "bitmap granularity: bytes="
                            + granularityBytes
                            + ", expected=a power of two from 512 to 2147483648");
        }
        if (image.find(name) != null) {
            throw image.failure(BlockError.EEXIST, "bitmap exists already: bitmap=" + name);
        }
    }

    @Override
    public CompletionStage<Void> remove(String name) {
        return change(
                () -> require(name),
                () -> {
                    StoredBitmap bitmap = require(name);
                    boolean known = bitmap.table().length > 0 || bitmap.tableEntries() == 0;
                    if (known || !bitmap.isTableClaimed()) {
                        image.remove(bitmap);
                        return CompletableFuture.completedFuture(null);
                    }
                    // Its table says which clusters become free. Where something else is there
                    // too, what it says is no word about bits: then nothing is freed.
                    return stage(
                                    "table of bitmap " + name,
                                    new BitmapLoad(
                                                    image.io(),
                                                    image.map(),
                                                    bitmap,
                                                    0,
                                                    image.clusterBits(),
                                                    new ReadBuffer())
                                            ::start)
                            .thenRun(() -> image.remove(bitmap));
                });
    }

    @Override
    public CompletionStage<Void> clear(String name) {
        return onMarked(name, (bitmap, bits) -> bits.clear());
    }

    @Override
    public CompletionStage<Void> enable(String name) {
        return onMarked(name, (bitmap, bits) -> enabled(bitmap, true));
    }

    @Override
    public CompletionStage<Void> disable(String name) {
        return onMarked(name, (bitmap, bits) -> enabled(bitmap, false));
    }

    private void enabled(StoredBitmap bitmap, boolean enabled) {
        bitmap.enabled(enabled);
        image.refreshRecording();
    }

    @Override
    public CompletionStage<Void> merge(String target, BitmapControl source, String sourceName) {
        if (!(source instanceof BitmapOperations other)) {
            return CompletableFuture.failedFuture(
                    image.failure(BlockError.EINVAL, "bitmaps to merge from are not of an image"));
        }
        return other.withBits()
                .thenCompose(
                        nothing ->
                                onMarked(
                                        target,
                                        (bitmap, bits) ->
                                                merge(bits, other.requireBits(sourceName), other)));
    }

    private void merge(DirtyBits bits, DirtyBits from, BitmapOperations other) {
        if (bits.sizeBytes() != from.sizeBytes()) {
            throw image.failure(
                    BlockError.EINVAL,
                    "bitmaps are of images of different sizes: size="
                            + bits.sizeBytes()
                            + ", size of "
                            + other.image.io().file().fileName()
                            + "="
                            + from.sizeBytes());
        }
        bits.merge(from);
    }

    private StoredBitmap require(String name) {
        StoredBitmap bitmap = image.find(name);
        if (bitmap == null) {
            throw image.failure(BlockError.ENOENT, "no such bitmap: bitmap=" + name);
        }
        return bitmap;
    }

    private DirtyBits requireBits(String name) {
        DirtyBits bits = require(name).bits();
        if (bits == null) {
            throw image.failure(
                    BlockError.EINVAL,
                    "bitmap is inconsistent or not understood, it can only be removed: bitmap="
                            + name);
        }
        return bits;
    }

    /** Something that is done to the bits or flags of a bitmap. */
    private interface Action {
        void run(StoredBitmap bitmap, DirtyBits bits);
    }

    private CompletionStage<Void> onMarked(String name, Action action) {
        return change(
                () -> require(name),
                () -> {
                    StoredBitmap bitmap = require(name);
                    DirtyBits bits = requireBits(name);
                    return stage(
                                    "bitmap " + name + " cannot be marked as in use",
                                    outcome -> image.markInUse(other -> other == bitmap, outcome))
                            .thenRun(() -> action.run(bitmap, bits));
                });
    }

    /**
     * Runs {@code body} after what was asked for before, when the image may be changed.
     *
     * @param check fails for what cannot be done: then nothing is written at all
     */
    private CompletionStage<Void> change(Runnable check, Supplier<CompletionStage<Void>> body) {
        CompletionStage<Void> result =
                last.thenCompose(nothing -> requireWritable())
                        .thenRun(check)
                        .thenCompose(nothing -> stage("image cannot be changed", gate))
                        .thenRun(check) // the image may have grown meanwhile
                        .thenCompose(nothing -> body.get());
        last = result.handle((nothing, failure) -> null);
        return result;
    }

    private CompletionStage<Void> requireWritable() {
        BlockError refusal = image.io().health().refusal();
        return refusal.isOk()
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(
                        image.failure(
                                refusal,
                                refusal == BlockError.EPERM
                                        ? "image is open read-only"
                                        : image.io().health().reason()));
    }

    private CompletionStage<Void> stage(String what, Consumer<Outcome> operation) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        operation.accept(
                error ->
                        complete(
                                done,
                                error.isOk()
                                        ? null
                                        : image.failure(error, what + ": " + error.text())));
        return done.thenApply(Function.identity());
    }
}
