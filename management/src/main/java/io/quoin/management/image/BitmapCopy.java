package io.quoin.management.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.xlator.OpenMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

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

    /**
     * Of the bitmaps of the image {@code from} into that at {@code to}.
     *
     * @param target that image, open under whatever name
     * @param skipBroken leave inconsistent bitmaps out, instead of failing
     * @throws BlockException ENOTSUP where one of the two cannot have bitmaps, EINVAL for an
     *     inconsistent bitmap or images of different sizes, EEXIST for a name that is taken
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
        if (from instanceof LocalImage local && local.snapshot() != null) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "bitmaps are of the disk, not of its snapshots: source=" + sourceText);
        }
        // Once more, since bitmaps are merged on one loop.
        source = session.open(from, OpenMode.READ_ONLY, target.loop());
        requireSameSize();
        Set<String> taken =
                list(target, targetText).stream().map(BitmapInfo::name).collect(Collectors.toSet());
        for (BitmapInfo bitmap : list(source, sourceText)) {
            if (!bitmap.inconsistent()) {
                requireFree(bitmap.name(), taken);
                bitmaps.add(bitmap);
            } else if (skipBroken) {
                skipped.add(bitmap.name());
            } else {
                throw inconsistent(bitmap.name());
            }
        }
        if (!bitmaps.isEmpty() && Integer.valueOf(2).equals(target.details().get("version"))) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "images of version 2 have no bitmaps: target="
                            + targetText
                            + ", expected=compat=1.1");
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

    private void requireFree(String name, Set<String> taken) {
        if (taken.contains(name)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "target has a bitmap of that name: target=" + targetText + ", bitmap=" + name);
        }
    }

    private BlockException inconsistent(String name) {
        return new BlockException(
                BlockError.EINVAL,
                "bitmap is inconsistent and cannot be copied: source="
                        + sourceText
                        + ", bitmap="
                        + name
                        + "; remove it, or leave such bitmaps out with --skip-broken-bitmaps");
    }

    private static List<BitmapInfo> list(OpenedImage image, String text) {
        return image.call(file -> BitmapEdit.control(file, text).list());
    }

    /** Makes the copies; they are stored when the target is closed. */
    void run() {
        for (BitmapInfo bitmap : bitmaps) {
            call(control -> control.add(bitmap.name(), bitmap.granularityBytes(), false));
            try {
                fill(bitmap);
            } catch (BlockException e) {
                // Without its marks it would say that nothing has changed.
                remove(bitmap.name(), e);
                throw e;
            }
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

    /** Names of what is left out. */
    List<String> skipped() {
        return List.copyOf(skipped);
    }
}
