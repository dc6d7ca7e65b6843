package io.quoin.management.cli.image;

import io.quoin.management.image.ImageFormat;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code -b} and {@code -F}: a backing file and its format, which is never guessed.
 *
 * <p>Threading: confined to the main thread.
 */
final class BackingOptions {
    @Option(
            names = {"-b", "--backing-file"},
            paramLabel = "BACKING",
            description = "name of an image in the same folder")
    private @Nullable String file;

    @Option(
            names = {"-F", "--backing-format"},
            paramLabel = "FORMAT",
            description = "format of the backing file: qcow2 or raw")
    private @Nullable ImageFormat format;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** The name; null where none was given. */
    @Nullable String file() {
        return file;
    }

    /** The format of a backing file that was given; wrong usage without one. */
    ImageFormat format() {
        if (format == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "format of the backing file missing: option=-F, expected=qcow2 or raw");
        }
        return format;
    }

    void requireNoneAlone() {
        if (format != null && (file == null || file.isEmpty())) {
            throw new ParameterException(
                    spec.commandLine(), "option=-F, expected=a backing file with it: -b BACKING");
        }
    }
}
