package io.quoin.management.cli.image;

import io.quoin.management.cli.terminal.OutputOption;
import io.quoin.management.volume.ByteSize;
import io.quoin.qcow2.check.ChannelImageFile;
import io.quoin.qcow2.check.ImageFile;
import io.quoin.qcow2.check.Qcow2Info;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code quoin image info}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "info",
        description = "Describe an image.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  quoin image info --output json vm1.qcow2"})
final class InfoCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource image;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Override
    public Integer call() throws IOException {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("filename", image.file().toString());
        if (image.isRaw()) {
            info.put("format", "raw");
            info.put("virtual-size", Files.size(image.file()));
        } else {
            try (ImageFile file = ChannelImageFile.open(image.file(), false)) {
                info.putAll(Qcow2Info.describe(file));
            }
        }
        output.print(info, out -> print(info, "", out));
        return 0;
    }

    private static void print(Map<?, ?> values, String indent, PrintWriter out) {
        values.forEach(
                (name, value) -> {
                    if (value instanceof Map<?, ?> nested) {
                        out.println(indent + name + ":");
                        print(nested, indent + "  ", out);
                    } else if (String.valueOf(name).endsWith("-size")
                            && value instanceof Long bytes) {
                        out.println(
                                indent
                                        + name
                                        + ": "
                                        + ByteSize.human(bytes)
                                        + " ("
                                        + bytes
                                        + " bytes)");
                    } else {
                        out.println(indent + name + ": " + value);
                    }
                });
    }
}
