package io.quoin.tools.command;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/**
 * {@code -o}: options of a new image.
 *
 * <p>Threading: confined to the main thread.
 */
final class NewImageOptions {
    @Option(
            names = {"-o", "--option"},
            paramLabel = "NAME=VALUE",
            split = ",",
            description =
                    "an option of the new image, as of 'image create' and named as in qemu-img;"
                            + " repeatable")
    private Map<String, String> options = new LinkedHashMap<>();

    /** A copy, in the order given. */
    Map<String, String> given() {
        return new LinkedHashMap<>(options);
    }
}
