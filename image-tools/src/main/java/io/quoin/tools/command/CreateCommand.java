package io.quoin.tools.command;

import io.quoin.tools.Create;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.QuietOutput;
import io.quoin.tools.terminal.SizeConverter;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image create}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "create",
        description = "Make an image, whole or not at all; never over a file that is there.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Options of qcow2: cluster_size, compat, refcount_bits, extended_l2, compression_type,",
            "lazy_refcounts, preallocation, data_file, data_file_raw. Of raw: preallocation.",
            "",
            "Examples:",
            "  quoin image create vm1.qcow2 10G",
            "  quoin image create -o cluster_size=128K,extended_l2=on vm1.qcow2 1T",
            "  quoin image create -b base.qcow2 -F qcow2 vm1.qcow2",
            "  quoin image create -f raw -o preallocation=falloc scratch.raw 20G"
        })
final class CreateCommand implements Callable<Integer> {
    private static final OptionTable RAW_OPTIONS =
            OptionTable.of(
                    Option.choice(
                            "preallocation",
                            List.of("off", "falloc", "full"),
                            "off",
                            "What is allocated at once."));

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "SIZE",
            description = "as in 10G, 512M, 1.5T or plain bytes (default: the backing file's)",
            converter = SizeConverter.class)
    private @Nullable Long sizeBytes;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private NewImageOptions options;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private BackingOptions backing;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private QuietOutput output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        LocalImage image = source.newImage();
        Map<String, String> wanted = options(image);
        if (sizeBytes == null && !wanted.containsKey("backing_file")) {
            throw new ParameterException(
                    spec.commandLine(), "SIZE missing: expected=a size as in 10G, or -b BACKING");
        }
        long size;
        try (ImageSession session = new ImageSession()) {
            CreateOptions how = new CreateOptions(sizeBytes == null ? 0 : sizeBytes, wanted);
            size = new Create(session).run(image, how);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", image.text());
        fields.put("format", image.format().text());
        fields.put("virtual-size", size);
        output.print(
                fields,
                out ->
                        out.println(
                                "Created "
                                        + NameText.printable(image.text())
                                        + ", "
                                        + ByteSize.human(size)));
        return 0;
    }

    private Map<String, String> options(LocalImage image) {
        Map<String, String> wanted = options.given();
        if (image.format() == ImageFormat.RAW) {
            backing.requireNoneAlone();
            if (backing.file() != null) {
                throw new ParameterException(
                        spec.commandLine(), "option=-b, expected=format qcow2, actual=raw");
            }
            return new OptionValues(RAW_OPTIONS, wanted).given();
        }
        backing.joinWith(wanted);
        return wanted;
    }
}
