package io.quoin.tools.command;

import io.quoin.tools.Commit;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.xlator.NameText;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code quoin image commit}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "commit",
        description = "Write what an image has itself into its backing file, then empty it.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "With -b all files between the two are written as well, and only the image itself and",
            "what lies on the base directly stay right: the files between must not be used again.",
            "",
            "Examples:",
            "  quoin image commit vm1.qcow2",
            "  quoin image commit -b base.qcow2 vm1.qcow2"
        })
final class CommitCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Option(
            names = {"-b", "--base"},
            paramLabel = "BASE",
            description = "a backing file further down to write into; implies -d")
    private @Nullable String base;

    @Option(
            names = {"-d", "--keep"},
            description = "don't empty the image: it is to be deleted")
    private boolean keep;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Override
    public Integer call() {
        LocalImage image = source.image();
        Commit.Result result;
        Progress progress = output.progress("committing");
        try (ImageSession session = new ImageSession()) {
            result = new Commit(session, progress::show).run(image, base, keep);
        } finally {
            progress.clear();
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", image.text());
        fields.put("backing-filename", result.backing());
        fields.put("written-bytes", result.writtenBytes());
        fields.put("emptied", result.emptied());
        output.print(
                fields,
                out ->
                        out.println(
                                "Committed "
                                        + ByteSize.human(result.writtenBytes())
                                        + " into "
                                        + NameText.printable(result.backing())
                                        + (result.emptied()
                                                ? ", emptied " + NameText.printable(image.text())
                                                : "")));
        return 0;
    }
}
