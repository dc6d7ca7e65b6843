package io.quoin.tools.command;

import io.quoin.tools.Convert;
import io.quoin.tools.ConvertOptions;
import io.quoin.tools.ConvertOptions.Bitmaps;
import io.quoin.tools.ConvertResult;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageLocation;
import io.quoin.tools.ImageSession;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.tools.terminal.SizeConverter;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image convert}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "convert",
        description = "Copy an image into another format or place.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A new target takes its place when it is whole; if that fails nothing is left of it.",
            "",
            "Examples:",
            "  quoin image convert vm1.raw vm1.qcow2",
            "  quoin image convert -c -o compression_type=zstd vm1.qcow2 vm1-small.qcow2",
            "  quoin image convert --bitmaps vm1.qcow2 vm1-moved.qcow2",
            "  quoin image convert -n vm1.qcow2 nbd://host/disk"
        })
final class ConvertCommand implements Callable<Integer> {
    private static final int SPARSE_UNIT = 512;
    private static final long SPARSE_MAX = 1L << 30;

    /** As qemu-img's. Each has up to 4 MiB of memory, out of the 256 MiB that bin/quoin allows. */
    private static final int REQUESTS_MAX = 16;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "an image file or nbd:// address")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String source;

    @Parameters(index = "1", paramLabel = "TARGET", description = "an image file or nbd:// address")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String target;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "of the source: qcow2 or raw (default: raw for *.raw and *.img)")
    private @Nullable ImageFormat format;

    @Option(
            names = {"-O", "--output-format"},
            paramLabel = "FORMAT",
            description = "of the target: qcow2 or raw (default: raw for *.raw and *.img)")
    private @Nullable ImageFormat targetFormat;

    @Option(
            names = {"-l", "--snapshot"},
            paramLabel = "NAME",
            description = "read this internal snapshot of the source, by id or name")
    private @Nullable String snapshot;

    @Option(
            names = {"-c", "--compress"},
            description = "store the target's clusters compressed")
    private boolean compressed;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NewImageOptions options;

    @Option(
            names = {"-B", "--backing-file"},
            paramLabel = "NAME",
            description = "store only what differs from this image in the target's folder")
    private @Nullable String backingFile;

    @Option(
            names = {"-F", "--backing-format"},
            paramLabel = "FORMAT",
            description = "of the backing file: qcow2 or raw; the same as -o backing_fmt")
    private @Nullable ImageFormat backingFormat;

    @Option(
            names = {"-n", "--no-create"},
            description = "write into a target that exists, and is at least as large")
    private boolean noCreate;

    @Option(
            names = "--target-is-zero",
            description = "with -n: the target is known to read as zeros")
    private boolean targetIsZero;

    @Option(
            names = {"-S", "--sparse-size"},
            paramLabel = "SIZE",
            description = "so many zeros in a row are not stored; 0 stores all (default: 4K)",
            converter = SizeConverter.class)
    private long sparseBytes = ConvertOptions.SPARSE_BYTES;

    @Option(names = "--bitmaps", description = "copy the source's dirty bitmaps too")
    private boolean bitmaps;

    @Option(
            names = "--skip-broken-bitmaps",
            description = "with --bitmaps: leave inconsistent ones out instead of failing")
    private boolean skipBrokenBitmaps;

    @Option(
            names = {"-m", "--requests"},
            paramLabel = "N",
            description = "parts under way at once, 1 to 16 (default: ${DEFAULT-VALUE})",
            defaultValue = "8")
    private int requests;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "for compression, 1 to 64 (default: one for each processor)",
            defaultValue = "0",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private int threads;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ForceShareOption share;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        ImageLocation disk = ImageLocation.of(source, format);
        ImageLocation from = snapshot == null ? disk : disk.at(snapshot);
        ImageLocation to =
                noCreate
                        ? ImageLocation.of(target, targetFormat, "-O")
                        : ImageLocation.toBeMade(target, targetFormat);
        ConvertOptions wanted = options();
        ConvertResult result;
        Progress progress = output.progress("converting");
        try (ImageSession session = new ImageSession(threads).forceShare(share.isGiven())) {
            result = new Convert(session, wanted, progress::show).run(from, to);
        } finally {
            progress.clear();
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("source", source);
        fields.put("target", target);
        fields.put("virtual-size", result.sizeBytes());
        fields.put("read-bytes", result.readBytes());
        fields.put("stored-bytes", result.storedBytes());
        if (bitmaps) {
            fields.put("bitmaps", result.bitmaps());
            fields.put("skipped-bitmaps", result.skippedBitmaps());
            fields.put("stale-bitmaps", result.staleBitmaps());
        }
        output.print(fields, out -> printLeftOut(result, out));
        return 0;
    }

    private static void printLeftOut(ConvertResult result, PrintWriter out) {
        result.skippedBitmaps()
                .forEach(
                        name ->
                                out.println(
                                        "left out inconsistent bitmap "
                                                + NameText.printable(name)));
        if (result.staleBitmaps()) {
            out.println("left out all bitmaps of the source: they are stale");
        }
    }

    private ConvertOptions options() {
        Map<String, String> all = options.given();
        BackingOptions.join(spec, "-B", backingFile, backingFormat, all);
        require(
                bitmaps || !skipBrokenBitmaps,
                "--skip-broken-bitmaps",
                "only with --bitmaps",
                "alone");
        require(
                !bitmaps || !share.isGiven(),
                "--bitmaps",
                "without -U, as they would not tell what is changed meanwhile",
                "with -U");
        require(noCreate || !targetIsZero, "--target-is-zero", "only with -n", "alone");
        require(
                !noCreate || all.isEmpty(),
                "-n",
                "no options for a new image with it",
                List.copyOf(all.keySet()));
        require(
                sparseBytes >= 0 && sparseBytes <= SPARSE_MAX && sparseBytes % SPARSE_UNIT == 0,
                "-S",
                "0, or a multiple of 512 up to 1G",
                sparseBytes);
        require(requests >= 1 && requests <= REQUESTS_MAX, "-m", "1 to 16", requests);
        require(threads >= 0 && threads <= 64, "--threads", "1 to 64", threads);
        return new ConvertOptions(
                compressed,
                all,
                noCreate,
                targetIsZero,
                (int) sparseBytes,
                requests,
                wantedBitmaps());
    }

    private Bitmaps wantedBitmaps() {
        if (!bitmaps) {
            return Bitmaps.NONE;
        }
        return skipBrokenBitmaps ? Bitmaps.CONSISTENT : Bitmaps.ALL;
    }

    private void require(boolean holds, String option, String expected, Object actual) {
        if (!holds) {
            throw new ParameterException(
                    spec.commandLine(),
                    "option cannot be used so: option="
                            + option
                            + ", expected="
                            + expected
                            + ", actual="
                            + actual);
        }
    }
}
