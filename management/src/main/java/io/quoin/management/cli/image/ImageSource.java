package io.quoin.management.cli.image;

import io.quoin.management.image.ImageFormat;
import io.quoin.management.image.LocalImage;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The image file that an offline command is about, and its format: by option, else by suffix, never
 * by content, since a guest can write a qcow2 header into a raw image.
 *
 * <p>Threading: confined to the main thread.
 */
final class ImageSource {
    @Parameters(index = "0", paramLabel = "FILE", description = "an image file")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "qcow2 or raw (default: raw for *.raw and *.img, else qcow2)")
    private @Nullable ImageFormat format;

    /** The file with links followed; it is there. */
    Path file() {
        return image().existing();
    }

    /** Which need not exist. */
    LocalImage image() {
        return new LocalImage(file, ImageFormat.choose(format, file.toString()));
    }

    boolean isRaw() {
        return image().format() == ImageFormat.RAW;
    }

    /** Where the file really lies, and its backing files do. */
    Path folder() {
        return Objects.requireNonNull(file().getParent());
    }
}
