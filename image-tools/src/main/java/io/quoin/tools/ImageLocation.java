package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.nbd.client.NbdUri;
import io.quoin.xlator.NameText;
import org.jspecify.annotations.Nullable;

/**
 * Where an image is.
 *
 * <p>Threading: immutable.
 */
public sealed interface ImageLocation permits LocalImage, NbdImage, GivenImage {
    /**
     * Reads the location of an image that is there, from the command line.
     *
     * @param format of a file; null to go by its suffix
     * @throws BlockException EINVAL for a file that would be raw by its suffix and begins as a
     *     qcow2 image: many are called {@code *.img}, and a guest may write a header into a raw
     *     one. So neither is taken for granted, and the caller has to know.
     */
    static ImageLocation of(String text, @Nullable ImageFormat format) {
        return of(text, format, "-f");
    }

    /**
     * As {@link #of(String, ImageFormat)}.
     *
     * @param option that gives the format, for messages
     */
    static ImageLocation of(String text, @Nullable ImageFormat format, String option) {
        ImageLocation location = toBeMade(text, format);
        if (format == null && location instanceof LocalImage local) {
            local.requireGuessRight(option);
        }
        return location;
    }

    /** As {@link #of(String, ImageFormat)}, of an image that need not be there yet. */
    static ImageLocation toBeMade(String text, @Nullable ImageFormat format) {
        if (NbdUri.isUri(text)) {
            if (format == ImageFormat.QCOW2) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "an NBD export is raw: address=" + text + ", actual format=qcow2");
            }
            return new NbdImage(NbdUri.parse(text), text);
        }
        return new LocalImage(NameText.path(text), ImageFormat.choose(format, text));
    }

    /** As it was given, for messages. */
    String text();

    /**
     * An internal snapshot of it, by id or name.
     *
     * @throws BlockException EINVAL if it has none by its format
     */
    ImageLocation at(String snapshot);
}
