package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.qcow2.edit.BitmapRemoval;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Changes the persistent dirty bitmaps of an image, in the order that is asked for; they are stored
 * when the image is closed.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class BitmapEdit {
    /** What is done with a bitmap. */
    public enum Verb {
        ADD,
        REMOVE,
        CLEAR,
        ENABLE,
        DISABLE,
        MERGE
    }

    /**
     * One change.
     *
     * @param source the bitmap that is merged; null for all other verbs
     */
    public record Action(Verb verb, @Nullable String source) {}

    private final ImageSession session;

    public BitmapEdit(ImageSession session) {
        this.session = session;
    }

    /**
     * Makes the changes to {@code bitmap} of {@code image}; if one fails those before it stay.
     *
     * @param granularityBytes of a new bitmap; 0: by the cluster size
     * @param sourceImage the image that has the bitmaps to merge; null: the same
     * @return the bitmaps that the image has then
     */
    public List<BitmapInfo> run(
            LocalImage image,
            String bitmap,
            List<Action> actions,
            long granularityBytes,
            @Nullable LocalImage sourceImage) {
        OpenedImage opened;
        try {
            opened = session.open(image, OpenMode.READ_WRITE);
        } catch (BlockException e) {
            // With bitmaps too large to be loaded the image cannot be opened, but be rid of them.
            boolean removes = actions.equals(List.of(new Action(Verb.REMOVE, null)));
            if (e.error() == BlockError.ENOTSUP && removes && image.format() == ImageFormat.QCOW2) {
                return removeUnopened(image, bitmap);
            }
            throw e;
        }
        return run(opened, image, bitmap, actions, granularityBytes, sourceImage);
    }

    private List<BitmapInfo> removeUnopened(LocalImage image, String bitmap) {
        Path path = image.existing();
        session.hold(Objects.requireNonNull(path.getParent()));
        try (ImageFile file = session.direct(path, true)) {
            return BitmapRemoval.remove(file, bitmap);
        } catch (IOException e) {
            throw Reason.failure("bitmap cannot be removed", NameText.of(path), e);
        }
    }

    private List<BitmapInfo> run(
            OpenedImage opened,
            LocalImage image,
            String bitmap,
            List<Action> actions,
            long granularityBytes,
            @Nullable LocalImage sourceImage) {
        try (opened) {
            OpenedImage source =
                    sourceImage == null
                            ? opened
                            : session.open(sourceImage, OpenMode.READ_ONLY, opened.loop());
            for (Action action : actions) {
                opened.call(
                        file ->
                                carryOut(
                                        action,
                                        bitmap,
                                        granularityBytes,
                                        control(file, image.text()),
                                        control(source.file(), source.location().text())));
            }
            return opened.call(file -> control(file, image.text()).list());
        }
    }

    private static CompletionStage<Void> carryOut(
            Action action,
            String bitmap,
            long granularityBytes,
            BitmapControl bitmaps,
            BitmapControl source) {
        return switch (action.verb()) {
            case ADD -> bitmaps.add(bitmap, granularityBytes, true);
            case REMOVE -> bitmaps.remove(bitmap);
            case CLEAR -> bitmaps.clear(bitmap);
            case ENABLE -> bitmaps.enable(bitmap);
            case DISABLE -> bitmaps.disable(bitmap);
            case MERGE -> bitmaps.merge(bitmap, source, Objects.requireNonNull(action.source()));
        };
    }

    /**
     * The bitmaps of an open image.
     *
     * @param text its name for the caller
     * @throws BlockException ENOTSUP if it cannot have some
     */
    static BitmapControl control(XlatorFile file, String text) {
        return BitmapControl.of(file)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "image cannot have bitmaps: image="
                                                + text
                                                + ", expected=format qcow2"));
    }
}
