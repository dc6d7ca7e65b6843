package io.quoin.management.cli.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.cli.terminal.OutputOption;
import io.quoin.qcow2.check.BackingFiles;
import io.quoin.qcow2.check.ChannelImageFile;
import io.quoin.qcow2.check.ImageChain;
import io.quoin.qcow2.check.ImageFile;
import io.quoin.qcow2.check.MapExtent;
import io.quoin.qcow2.check.Qcow2Map;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code quoin image map}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "map",
        description = "Show where the bytes of an image are, over its backing files.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  quoin image map --output json vm1.qcow2"})
final class MapCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource image;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Override
    public Integer call() throws IOException {
        if (image.isRaw()) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "raw images have no map: path="
                            + image.file()
                            + "; their bytes are where they are");
        }
        ImageFile top = ChannelImageFile.open(image.file(), false);
        try (ImageChain chain = ImageChain.open(top, BackingFiles.inFolder(image.folder()))) {
            PrintWriter out = output.out();
            if (output.isJson()) {
                printJson(chain, out);
            } else {
                printTable(chain, out);
            }
            out.flush();
        }
        return 0;
    }

    /** An extent a line: a map can be long, and tools read it as it comes. */
    private static void printJson(ImageChain chain, PrintWriter out) {
        out.print('[');
        String[] separator = {""};
        Qcow2Map.map(
                chain,
                extent -> {
                    out.print(separator[0] + OutputOption.jsonLine(extent.toMap()));
                    separator[0] = ",\n";
                });
        out.println(']');
    }

    private static void printTable(ImageChain chain, PrintWriter out) {
        String format = "%-18s %-18s %-18s %-6s %s%n";
        out.printf(format, "OFFSET", "LENGTH", "HOST OFFSET", "DEPTH", "KIND");
        Qcow2Map.map(
                chain,
                extent ->
                        out.printf(
                                format,
                                hex(extent.start()),
                                hex(extent.length()),
                                extent.offset() == MapExtent.NO_OFFSET ? "-" : hex(extent.offset()),
                                extent.depth(),
                                kind(extent)));
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static String kind(MapExtent extent) {
        if (extent.compressed()) {
            return "compressed";
        }
        if (extent.zero()) {
            return extent.present() ? "zero" : "unallocated";
        }
        return "data";
    }
}
