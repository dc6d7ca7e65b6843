package io.quoin.management.image;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where an image is.
 *
 * <p>Threading: immutable.
 */
public sealed interface ImageLocation permits LocalImage {
    /**
     * Reads a location from the command line.
     *
     * @param format of a file; null to go by its suffix
     */
    static ImageLocation of(String text, @Nullable ImageFormat format) {
        return new LocalImage(Path.of(text), ImageFormat.choose(format, text));
    }

    /** As it was given, for messages. */
    String text();
}
