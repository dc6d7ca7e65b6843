package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.xlator.OpenMode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Copies the persistent dirty bitmaps of an image into the image that its content is copied to:
 * what they mark, their granularity, and whether they record.
 *
 * <p>What may stand in the way is looked for before the content is copied; the bitmaps are made
 * after it, so that they have no marks of the copying and a copy that fails leaves none.
 *
 * <p>Threading: confined to the thread of the tool.
 */
final class BitmapCopy {
    private final OpenedImage source;
    private final OpenedImage target;
    private final String sourceText;
    private final String targetText;
    private final List<BitmapInfo> bitmaps = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();
    private boolean stale;

    /**
     * Before anything is opened or made.
     *
     * @throws BlockException ENOTSUP where one of the two cannot have bitmaps
     */
    static void requireBitmaps(ImageLocation from, ImageLocation to) {
        for (ImageLocation image : List.of(from, to)) {
            if (!(image instanceof LocalImage local) || local.format() != ImageFormat.QCOW2) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "image cannot have bitmaps: image="
                                + image.text()
                                + ", expected=a qcow2 file");
            }
            if (local.snapshot() != null) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "bitmaps are of the disk, not of its snapshots: image=" + image.text());
            }
        }
    }

    /**
     * Of the bitmaps of the image {@code from} into that at {@code to}.
     *
     * @param target that image, open under whatever name
     * @param skipBroken leave bitmaps that cannot be used out, instead of failing
     * @throws BlockException EINVAL for an inconsistent bitmap or images of different sizes, and
     *     what {@link BitmapControl#list} and {@link BitmapControl#requireRoomFor} fail with
     */
    BitmapCopy(
            ImageSession session,
            ImageLocation from,
            ImageLocation to,
            OpenedImage target,
            boolean skipBroken) {
        this.target = target;
        sourceText = from.text();
        targetText = to.text();
        // Once more, since bitmaps are merged on one loop.
        source = session.open(from, OpenMode.READ_ONLY, target.loop());
        requireSameSize();
        requireNoneStale(skipBroken);
        List<BitmapInfo> all = source.call(file -> BitmapEdit.control(file, sourceText).list());
        for (BitmapInfo bitmap : all) {
            if (bitmap.inconsistent()) {
                require(skipBroken, bitmap.name());
                skipped.add(bitmap.name());
            } else {
                bitmaps.add(bitmap);
            }
        }
        requireRoom();
    }

    private void requireNoneStale(boolean skipBroken) {
        stale = BitmapEdit.control(source.file(), sourceText).hasStale();
        if (stale && !skipBroken) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "bitmaps are stale, since a program that knows none changed the image, or a"
                            + " crash met a change of them: source="
                            + sourceText
                            + "; convert without --bitmaps, or with --skip-broken-bitmaps");
        }
    }

    private void requireSameSize() {
        long sourceBytes = source.geometry().sizeBytes();
        long targetBytes = target.geometry().sizeBytes();
        if (sourceBytes != targetBytes) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "bitmaps are copied between images of one size: target="
                            + targetText
                            + ", expected="
                            + sourceBytes
                            + " bytes, actual="
                            + targetBytes);
        }
    }

    private void require(boolean skipBroken, String bitmap) {
        if (!skipBroken) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "bitmap is inconsistent and cannot be copied: source="
                            + sourceText
                            + ", bitmap="
                            + bitmap
                            + "; remove it, or leave such bitmaps out with --skip-broken-bitmaps");
        }
    }

    private void requireRoom() {
        try {
            call(control -> control.requireRoomFor(bitmaps));
        } catch (BlockException e) {
            throw new BlockException(
                    e.error(),
                    "target cannot take the bitmaps: target=" + targetText + ": " + e.getMessage(),
                    e);
        }
    }

    /** Makes the copies, all or none; they are stored when the target is closed. */
    void run() {
        List<String> made = new ArrayList<>();
        try {
            for (BitmapInfo bitmap : bitmaps) {
                call(control -> control.add(bitmap.name(), bitmap.granularityBytes(), false));
                made.add(bitmap.name());
                fill(bitmap);
            }
        } catch (BlockException e) {
            // Without its marks one would say that nothing has changed.
            made.forEach(name -> remove(name, e));
            throw e;
        }
    }

    private void fill(BitmapInfo bitmap) {
        String name = bitmap.name();
        call(control -> control.merge(name, BitmapEdit.control(source.file(), sourceText), name));
        if (bitmap.enabled()) {
            call(control -> control.enable(name));
        }
    }

    private void remove(String name, BlockException failure) {
        try {
            call(control -> control.remove(name));
        } catch (BlockException e) {
            failure.addSuppressed(e);
        }
    }

    private void call(Function<BitmapControl, CompletionStage<Void>> change) {
        target.call(file -> change.apply(BitmapEdit.control(file, targetText)));
    }

    /** Names of what is copied. */
    List<String> copied() {
        return bitmaps.stream().map(BitmapInfo::name).toList();
    }

    /** Whether there are some that have no names any more. */
    boolean hasStale() {
        return stale;
    }

    /** Names of what is left out. */
    List<String> skipped() {
        return List.copyOf(skipped);
    }
}
