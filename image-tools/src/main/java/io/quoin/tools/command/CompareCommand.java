package io.quoin.tools.command;

import io.quoin.block.BlockException;
import io.quoin.tools.Compare;
import io.quoin.tools.CompareResult;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageLocation;
import io.quoin.tools.ImageSession;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image compare}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "compare",
        description = "Compare the content of two images.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Images of different sizes are the same if the rest of the longer one is zeros.",
            "",
            "Exit codes: 0 the same, 1 they differ, 2 an image cannot be opened,",
            "3 the block status of an image cannot be had, 4 an image cannot be read.",
            "",
            "Examples:",
            "  quoin image compare vm1.raw vm1.qcow2",
            "  quoin image compare -s vm1.qcow2 vm1-copy.qcow2",
            "  quoin image compare vm1.qcow2 nbd://host/disk"
        })
final class CompareCommand implements Callable<Integer> {
    private static final int EXIT_DIFFERENT = 1;
    private static final int EXIT_NOT_OPENED = 2;
    private static final int EXIT_STATUS_UNKNOWN = 3;
    private static final int EXIT_NOT_READ = 4;

    @Parameters(index = "0", paramLabel = "FIRST", description = "an image file or nbd:// address")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String first;

    @Parameters(index = "1", paramLabel = "SECOND", description = "an image file or nbd:// address")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String second;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "of the first: qcow2 or raw (default: raw for *.raw and *.img)")
    private @Nullable ImageFormat firstFormat;

    @Option(
            names = {"-F", "--second-format"},
            paramLabel = "FORMAT",
            description = "of the second")
    private @Nullable ImageFormat secondFormat;

    @Option(
            names = {"-s", "--strict"},
            description = "sizes and what is allocated must be the same too")
    private boolean strict;

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
        int exitCode = EXIT_NOT_OPENED;
        Progress progress = output.progress("comparing");
        try (ImageSession session = new ImageSession().forceShare(share.isGiven())) {
            Compare compare = new Compare(session, strict, progress::show);
            Compare.Pair pair =
                    compare.open(
                            ImageLocation.of(first, firstFormat),
                            ImageLocation.of(second, secondFormat, "-F"));
            CompareResult result;
            try {
                result = compare.run(pair);
            } finally {
                exitCode = compare.isStatusUnknown() ? EXIT_STATUS_UNKNOWN : EXIT_NOT_READ;
            }
            progress.clear();
            output.print(toMap(result), out -> print(result, out));
            return result.isSame() ? 0 : EXIT_DIFFERENT;
        } catch (BlockException e) {
            progress.clear();
            PrintWriter err = spec.commandLine().getErr();
            err.println("quoin: " + e.getMessage());
            err.flush();
            return exitCode;
        }
    }

    private Map<String, Object> toMap(CompareResult result) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("first", first);
        fields.put("second", second);
        fields.put("identical", result.isSame());
        fields.put("sizes-differ", result.sizesDiffer());
        if (!result.isSame()) {
            fields.put("difference", result.finding().name().toLowerCase(Locale.ROOT));
            fields.put("offset", result.offsetBytes());
        }
        return fields;
    }

    private static void print(CompareResult result, PrintWriter out) {
        if (result.sizesDiffer()) {
            out.println("the sizes differ");
        }
        switch (result.finding()) {
            case SAME -> out.println("the images are identical");
            case CONTENT -> out.println("the content differs: offset=" + result.offsetBytes());
            case STATUS -> out.println("the allocation differs: offset=" + result.offsetBytes());
            case SIZE -> {}
        }
    }
}
