package io.quoin.management.image;

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
public sealed interface ImageLocation permits LocalImage, NbdImage {
    /**
     * Reads a location from the command line.
     *
     * @param format of a file; null to go by its suffix
     */
    static ImageLocation of(String text, @Nullable ImageFormat format) {
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
