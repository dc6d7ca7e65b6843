package io.quoin.tools.command;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageLocation;
import io.quoin.tools.LocalImage;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The image file that an offline command is about, and its format: by option, else by suffix, never
 * by content, since a guest can write a qcow2 header into a raw image. Where suffix and content
 * differ the option is asked for.
 *
 * <p>Threading: confined to the main thread.
 */
final class ImageSource {
    @Parameters(index = "0", paramLabel = "FILE", description = "an image file")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String file;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "qcow2 or raw (default: raw for *.raw and *.img, else qcow2)")
    private @Nullable ImageFormat format;

    /** The file with links followed; it is there. */
    Path file() {
        return image().existing();
    }

    LocalImage image() {
        return local(location());
    }

    /** One that need not be there. */
    LocalImage newImage() {
        return local(ImageLocation.toBeMade(file, format));
    }

    private LocalImage local(ImageLocation location) {
        if (location instanceof LocalImage local) {
            return local;
        }
        throw new BlockException(
                BlockError.ENOTSUP, "not an image file: expected=a path, actual=" + file);
    }

    /** For what is done with NBD exports as well. */
    ImageLocation location() {
        return ImageLocation.of(file, format);
    }

    boolean isRaw() {
        return image().format() == ImageFormat.RAW;
    }

    /** Where the file really lies, and its backing files do. */
    Path folder() {
        return Objects.requireNonNull(file().getParent());
    }
}
