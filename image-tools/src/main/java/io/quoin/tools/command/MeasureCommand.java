package io.quoin.tools.command;

import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageLocation;
import io.quoin.tools.ImageSession;
import io.quoin.tools.Measure;
import io.quoin.tools.MeasureResult;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.SizeConverter;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image measure}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "measure",
        description = "Say how large a file an image needs, before it is made or converted.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image measure -O qcow2 vm1.raw",
            "  quoin image measure -O qcow2 nbd://host/disk",
            "  quoin image measure -O qcow2 -o cluster_size=2M --size 1T"
        })
final class MeasureCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "the image to be converted: a file or an nbd:// address")
    private @Nullable String source;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "of the source: qcow2 or raw (default: raw for *.raw and *.img)")
    private @Nullable ImageFormat format;

    @Option(
            names = {"-l", "--snapshot"},
            paramLabel = "NAME",
            description = "of this internal snapshot of the source, by id or name")
    private @Nullable String snapshot;

    @Option(
            names = {"-O", "--output-format"},
            paramLabel = "FORMAT",
            description = "of the new image: qcow2 or raw (default: raw)",
            defaultValue = "raw")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageFormat targetFormat;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NewImageOptions options;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description = "instead of a source: an empty image of this size",
            converter = SizeConverter.class)
    private @Nullable Long sizeBytes;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ForceShareOption share;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        MeasureResult result = measure();
        output.print(result.toMap(), out -> print(result, out));
        return 0;
    }

    private MeasureResult measure() throws IOException {
        Measure measure = new Measure(targetFormat, options.given());
        if (source != null && sizeBytes == null) {
            try (ImageSession session = new ImageSession().forceShare(share.isGiven())) {
                ImageLocation disk = ImageLocation.of(source, format);
                return measure.of(session, snapshot == null ? disk : disk.at(snapshot));
            }
        }
        if (source == null && sizeBytes != null && snapshot == null) {
            return measure.empty(sizeBytes);
        }
        throw new ParameterException(spec.commandLine(), "expected=either SOURCE or --size");
    }

    private static void print(MeasureResult result, PrintWriter out) {
        out.println("required size: " + result.requiredBytes());
        out.println("fully allocated size: " + result.fullyAllocatedBytes());
        if (result.bitmapsBytes() != null) {
            out.println("bitmaps size: " + result.bitmapsBytes());
        }
    }
}
