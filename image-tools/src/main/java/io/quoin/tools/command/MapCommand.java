package io.quoin.tools.command;

import io.quoin.brick.posix.LocalFile;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.info.ImageChain;
import io.quoin.qcow2.info.MapExtent;
import io.quoin.qcow2.info.Qcow2Map;
import io.quoin.tools.ImageSession;
import io.quoin.tools.NbdImage;
import io.quoin.tools.OpenedImage;
import io.quoin.tools.StatusMap;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.xlator.OpenMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code quoin image map}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "map",
        description =
                "Show where the bytes of an image are, over its backing files, or of an NBD export.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image map vm1.qcow2",
            "  quoin image map --output json nbd://host/disk"
        })
final class MapCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource image;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = output.out();
        if (image.location() instanceof NbdImage remote) {
            try (ImageSession session = new ImageSession()) {
                OpenedImage export = session.open(remote, OpenMode.READ_ONLY);
                print(extents -> StatusMap.map(export, extents), out);
            }
            return 0;
        }
        if (image.isRaw()) {
            try (LocalFile file = LocalFile.open(image.file())) {
                print(extents -> mapRaw(file, extents), out);
            }
            return 0;
        }
        Path folder = image.folder();
        try (ImageSession session = new ImageSession();
                ImageChain chain =
                        ImageChain.open(
                                session.beside(image.file()),
                                BackingFiles.inFolder(folder, session::beside))) {
            print(extents -> Qcow2Map.map(chain, extents), out);
        }
        return 0;
    }

    /** Tells all extents in order. */
    @FunctionalInterface
    private interface Mapping {
        void tell(Consumer<MapExtent> consumer);
    }

    private void print(Mapping mapping, PrintWriter out) {
        if (output.isJson()) {
            printJson(mapping, out);
        } else {
            printTable(mapping, out);
        }
        out.flush();
    }

    /** By what the file system knows of holes. */
    private static void mapRaw(LocalFile file, Consumer<MapExtent> consumer) {
        long size = file.sizeBytes();
        for (long at = 0; at < size; ) {
            long data = file.nextData(at);
            boolean isHole = data > at;
            long end = isHole ? Math.min(data, size) : file.nextHole(at);
            consumer.accept(new MapExtent(at, end - at, 0, true, isHole, !isHole, false, at));
            at = end;
        }
    }

    /** An extent a line: a map can be long, and tools read it as it comes. */
    private static void printJson(Mapping mapping, PrintWriter out) {
        out.print('[');
        String[] separator = {""};
        mapping.tell(
                extent -> {
                    out.print(separator[0] + OutputOption.jsonLine(extent.toMap()));
                    separator[0] = ",\n";
                });
        out.println(']');
    }

    private static void printTable(Mapping mapping, PrintWriter out) {
        String format = "%-18s %-18s %-18s %-6s %s%n";
        out.printf(format, "OFFSET", "LENGTH", "HOST OFFSET", "DEPTH", "KIND");
        mapping.tell(
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
        return extent.data() ? "data" : "unallocated";
    }
}
