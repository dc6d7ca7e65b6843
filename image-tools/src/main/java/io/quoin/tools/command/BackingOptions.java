package io.quoin.tools.command;

import io.quoin.tools.ImageFormat;
import java.util.Map;
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
            throw missingFormat(spec);
        }
        return format;
    }

    void requireNoneAlone() {
        if (format != null && (file == null || file.isEmpty())) {
            throw formatAlone(spec, "-b BACKING");
        }
    }

    /** Puts what was given into the options of a new image, as {@link #join} does. */
    void joinWith(Map<String, String> options) {
        join(spec, "-b", file, format, options);
    }

    /**
     * Puts a backing file and its format, each null if not given, into the options of a new image,
     * which may name them already, as qemu-img's do. Wrong usage if the two contradict each other,
     * or if one is there without the other.
     */
    static void join(
            CommandSpec spec,
            String fileOption,
            @Nullable String file,
            @Nullable ImageFormat format,
            Map<String, String> options) {
        put(spec, fileOption, "backing_file", file, options);
        put(spec, "-F", "backing_fmt", format == null ? null : format.text(), options);
        if (options.getOrDefault("backing_file", "").isEmpty()) {
            if (options.containsKey("backing_fmt")) {
                throw formatAlone(spec, fileOption + " BACKING");
            }
        } else if (!options.containsKey("backing_fmt")) {
            throw missingFormat(spec);
        }
    }

    private static void put(
            CommandSpec spec,
            String option,
            String name,
            @Nullable String value,
            Map<String, String> options) {
        String other = value == null ? null : options.put(name, value);
        if (other != null && !other.equals(value)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "options contradict each other: "
                            + option
                            + "="
                            + value
                            + ", -o "
                            + name
                            + "="
                            + other);
        }
    }

    private static ParameterException missingFormat(CommandSpec spec) {
        return new ParameterException(
                spec.commandLine(),
                "format of the backing file missing: option=-F, expected=qcow2 or raw");
    }

    private static ParameterException formatAlone(CommandSpec spec, String option) {
        return new ParameterException(
                spec.commandLine(), "option=-F, expected=a backing file with it: option=" + option);
    }
}
