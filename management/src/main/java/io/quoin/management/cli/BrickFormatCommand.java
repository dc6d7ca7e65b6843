package io.quoin.management.cli;

import io.quoin.management.brick.BrickDaemon;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.tools.terminal.OutputOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code quoin brick format}: labels an empty folder, once.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "format",
        description = "Make an empty folder a brick of a volume.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example:",
            "  quoin brick format --path /srv/brick1 --volume $(uuidgen) --index 0 --layout replica-3"
        })
final class BrickFormatCommand implements Runnable {
    @Option(
            names = "--path",
            required = true,
            paramLabel = "DIR",
            description = "folder of the brick: empty, or not there yet")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path path;

    @Option(
            names = "--volume",
            required = true,
            paramLabel = "UUID",
            description = "id of the volume, the same for all its bricks")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private UUID volume;

    @Option(
            names = "--index",
            required = true,
            paramLabel = "N",
            description = "number of the brick in its replica set, from 0; an arbiter is the last")
    private int index;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "of the replica set: replica-1, replica-2, replica-2-arbiter or replica-3"
                            + " (default: ${DEFAULT-VALUE})",
            defaultValue = "replica-3",
            converter = LayoutConverter.class)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Layout layout;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Override
    public void run() {
        BrickIdentity identity = BrickDaemon.format(path, volume, index, layout);
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("volume", identity.volume().toString());
        made.put("brick", identity.brick().toString());
        made.put("index", identity.index());
        made.put("layout", identity.layout().text());
        output.print(made, out -> out.println("brick " + identity.brick() + " made"));
    }

    /** By the text of volfiles. */
    private static final class LayoutConverter implements ITypeConverter<Layout> {
        @Override
        public Layout convert(String text) {
            if (!Layout.texts().contains(text)) {
                throw new TypeConversionException(
                        "illegal layout: value="
                                + text
                                + ", expected="
                                + String.join(", ", Layout.texts()));
            }
            return Layout.of(text);
        }
    }
}
