package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.volume.ByteSize;
import io.quoin.qcow2.check.BackingFiles;
import io.quoin.qcow2.check.ChannelImageFile;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.ImageChain;
import io.quoin.qcow2.check.ImageFile;
import io.quoin.qcow2.check.MapExtent;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.Qcow2Info;
import io.quoin.qcow2.check.Qcow2Map;
import io.quoin.qcow2.check.RepairMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image}: image files that nobody has open, in a brick or anywhere else. JSON has
 * qemu-img's field names.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "image",
        description = "Describe, check, repair and map image files that nobody has open.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        subcommands = {ImageCommand.Info.class, ImageCommand.Check.class, ImageCommand.MapOf.class},
        footer = {
            "",
            "Examples:",
            "  quoin image info vm1.qcow2",
            "  quoin image check --repair leaks vm1.qcow2"
        })
final class ImageCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin image info}. */
    @Command(
            name = "info",
            description = "Describe an image.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin image info --output json vm1.qcow2"})
    static final class Info implements Callable<Integer> {
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

    /** {@code quoin image check}. */
    @Command(
            name = "check",
            description = "Check the consistency of an image, and repair it.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Exit codes: 0 consistent, 1 not completed, 2 corrupt, 3 leaked clusters alone,",
                "63 the format has no check.",
                "",
                "Examples:",
                "  quoin image check vm1.qcow2",
                "  quoin image check --repair leaks vm1.qcow2"
            })
    static final class Check implements Callable<Integer> {
        /** What may be repaired. */
        enum Repair {
            leaks,
            all
        }

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private ImageSource image;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private OutputOption output;

        @Option(
                names = {"-r", "--repair"},
                paramLabel = "WHAT",
                description = "leaks: give leaked clusters back, always safe; all: refcounts too")
        private @Nullable Repair repair;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            PrintWriter err = spec.commandLine().getErr();
            Path path = image.file();
            if (image.isRaw()) {
                err.println("quoin: raw images have no check: path=" + path);
                err.flush();
                return CheckResult.EXIT_NO_CHECK;
            }
            CheckResult result;
            AutoCloseable held = image.hold();
            try {
                result = check(path, err);
            } finally {
                held.close();
            }
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("filename", path.toString());
            fields.put("format", "qcow2");
            fields.putAll(result.toMap());
            output.print(fields, out -> print(result, out));
            return result.exitCode();
        }

        private CheckResult check(Path path, PrintWriter err) throws IOException {
            try (ImageFile file = ChannelImageFile.open(path, repair != null);
                    Findings findings = new Findings(err)) {
                return Qcow2Check.check(file, mode(), findings);
            }
        }

        private RepairMode mode() {
            if (repair == null) {
                return RepairMode.NONE;
            }
            return repair == Repair.leaks ? RepairMode.LEAKS : RepairMode.ALL;
        }

        private static void print(CheckResult result, PrintWriter out) {
            if (result.leaksFixed() + result.corruptionsFixed() > 0) {
                out.println(
                        "repaired: leaks="
                                + result.leaksFixed()
                                + ", corruptions="
                                + result.corruptionsFixed());
            }
            if (result.isClean()) {
                out.println("consistent: no errors");
            } else {
                out.println(
                        "not consistent: corruptions="
                                + result.corruptions()
                                + ", leaks="
                                + result.leaks()
                                + ", not checked="
                                + result.checkErrors());
            }
            out.println(
                    "clusters: allocated="
                            + result.allocatedClusters()
                            + ", total="
                            + result.totalClusters()
                            + ", fragmented="
                            + result.fragmentedClusters()
                            + ", compressed="
                            + result.compressedClusters());
            out.println("image end: " + result.imageEndOffset());
        }
    }

    /** Findings as lines on stderr, and progress there if it is a terminal. */
    private static final class Findings implements CheckListener, AutoCloseable {
        private final PrintWriter err;
        private final Progress progress = new Progress("checking");

        Findings(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void progress(long done, long total) {
            progress.show(done, total);
        }

        @Override
        public void finding(String text) {
            progress.clear();
            err.println(text);
            err.flush();
        }

        @Override
        public void close() {
            progress.clear();
        }
    }

    /** {@code quoin image map}. */
    @Command(
            name = "map",
            description = "Show where the bytes of an image are, over its backing files.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin image map --output json vm1.qcow2"})
    static final class MapOf implements Callable<Integer> {
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
                                    extent.offset() == MapExtent.NO_OFFSET
                                            ? "-"
                                            : hex(extent.offset()),
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
}
