package io.quoin.tools.command;

import io.quoin.block.BlockException;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.Resize;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.xlator.NameText;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image resize}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "resize",
        description = "Make an image larger, or smaller with --shrink.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image resize vm1.qcow2 20G",
            "  quoin image resize --preallocation full vm1.qcow2 +5G",
            "  quoin image resize --shrink vm1.qcow2 -5G"
        })
final class ResizeCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Parameters(
            index = "1",
            paramLabel = "[+-]SIZE",
            description = "the new size as in 10G, or how much to add or to take off")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String size;

    @Option(names = "--shrink", description = "the image may lose what lies behind its new end")
    private boolean shrink;

    @Option(
            names = "--preallocation",
            paramLabel = "MODE",
            description =
                    "of the part that the image grows by: off, metadata, falloc or full (default:"
                            + " ${DEFAULT-VALUE})",
            defaultValue = "off")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Resize.Preallocation preallocation;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** A size to take off, as in -5G, is no option. */
    @Spec
    void spec(CommandSpec given) {
        spec = given;
        given.parser().unmatchedOptionsArePositionalParams(true);
    }

    @Override
    public Integer call() {
        LocalImage image = source.image();
        long given = amount();
        long newSize;
        Progress progress = output.progress("resizing");
        try (ImageSession session = new ImageSession()) {
            Resize resize = new Resize(session, progress::show);
            newSize = resize.run(image, target(resize, image, given), shrink, preallocation);
        } finally {
            progress.clear();
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", image.text());
        fields.put("virtual-size", newSize);
        output.print(
                fields,
                out ->
                        out.println(
                                "Resized "
                                        + NameText.printable(image.text())
                                        + ", "
                                        + ByteSize.human(newSize)));
        return 0;
    }

    private boolean isRelative() {
        return size.startsWith("+") || size.startsWith("-");
    }

    private long amount() {
        try {
            return ByteSize.parse(isRelative() ? size.substring(1) : size);
        } catch (BlockException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private long target(Resize resize, LocalImage image, long given) {
        if (!isRelative()) {
            return given;
        }
        long old = resize.sizeBytes(image);
        long target = size.startsWith("+") ? old + given : old - given;
        if (target < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "size out of range: value=" + size + ", actual size=" + old);
        }
        return target;
    }
}
