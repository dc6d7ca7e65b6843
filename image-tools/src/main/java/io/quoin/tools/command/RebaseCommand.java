package io.quoin.tools.command;

import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.Rebase;
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
import picocli.CommandLine.Spec;

/**
 * {@code quoin image rebase}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "rebase",
        description = "Give an image another backing file; its content stays the same.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image rebase -b new-base.qcow2 -F qcow2 vm1.qcow2",
            "  quoin image rebase -b \"\" vm1.qcow2               (no backing file any more)",
            "  quoin image rebase -u -b renamed.qcow2 -F qcow2 vm1.qcow2"
        })
final class RebaseCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private BackingOptions backing;

    @Option(
            names = {"-u", "--unsafe"},
            description = "switch the name alone: for a backing file that was renamed")
    private boolean unsafe;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        String name = backing.file();
        if (name == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "backing file missing: option=-b, expected=the name of an image, or \"\"");
        }
        backing.requireNoneAlone();
        ImageFormat format = name.isEmpty() ? ImageFormat.RAW : backing.format();
        LocalImage image = source.image();
        long copied = 0;
        Progress progress = output.progress("rebasing");
        try (ImageSession session = new ImageSession()) {
            Rebase rebase = new Rebase(session, progress::show);
            if (unsafe) {
                rebase.unsafe(image, name, format);
            } else {
                copied = rebase.safe(image, name, format);
            }
        } finally {
            progress.clear();
        }
        print(image, name, copied);
        return 0;
    }

    private void print(LocalImage image, String name, long copied) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", image.text());
        fields.put("backing-filename", name);
        fields.put("copied-bytes", copied);
        output.print(
                fields,
                out ->
                        out.println(
                                "Rebased "
                                        + NameText.printable(image.text())
                                        + (name.isEmpty()
                                                ? ", no backing file"
                                                : " on " + NameText.printable(name))
                                        + ", copied "
                                        + ByteSize.human(copied)));
    }
}
