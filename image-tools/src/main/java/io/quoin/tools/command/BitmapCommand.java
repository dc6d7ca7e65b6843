package io.quoin.tools.command;

import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.tools.BitmapEdit;
import io.quoin.tools.BitmapEdit.Action;
import io.quoin.tools.BitmapEdit.Verb;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.SizeConverter;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * {@code quoin image bitmap}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "bitmap",
        description = "Change a dirty bitmap of an image; several changes go in their order.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image bitmap --add vm1.qcow2 daily",
            "  quoin image bitmap --add --disable --merge daily vm1.qcow2 copy",
            "  quoin image bitmap --merge daily -b old.qcow2 -F qcow2 vm1.qcow2 daily"
        })
final class BitmapCommand implements Callable<Integer> {
    private final List<Action> actions = new ArrayList<>();

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Parameters(index = "1", paramLabel = "BITMAP", description = "its name")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String bitmap;

    @Option(
            names = {"-g", "--granularity"},
            paramLabel = "SIZE",
            description = "bytes for a bit of a new bitmap (default: by the cluster size)",
            converter = SizeConverter.class)
    private @Nullable Long granularityBytes;

    @Option(
            names = {"-b", "--source-file"},
            paramLabel = "FILE",
            description = "the image that has the bitmap to merge (default: the same)")
    private @Nullable Path sourceFile;

    @Option(
            names = {"-F", "--source-format"},
            paramLabel = "FORMAT",
            description = "its format (default: qcow2)")
    private @Nullable ImageFormat sourceFormat;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--add", description = "make it, recording changes")
    void add(boolean given) {
        note(given, Verb.ADD, null);
    }

    @Option(names = "--remove", description = "remove it")
    void remove(boolean given) {
        note(given, Verb.REMOVE, null);
    }

    @Option(names = "--clear", description = "take all marks away")
    void clear(boolean given) {
        note(given, Verb.CLEAR, null);
    }

    @Option(names = "--enable", description = "record changes from now on")
    void enable(boolean given) {
        note(given, Verb.ENABLE, null);
    }

    @Option(names = "--disable", description = "record no changes from now on")
    void disable(boolean given) {
        note(given, Verb.DISABLE, null);
    }

    @Option(names = "--merge", paramLabel = "SOURCE", description = "mark what SOURCE has marked")
    void merge(@Nullable String other) {
        note(other != null, Verb.MERGE, other);
    }

    private void note(boolean given, Verb verb, @Nullable String other) {
        if (given) {
            actions.add(new Action(verb, other));
        }
    }

    @Override
    public Integer call() {
        requireSense();
        LocalImage image = source.image();
        List<BitmapInfo> after;
        try (ImageSession session = new ImageSession()) {
            after =
                    new BitmapEdit(session)
                            .run(
                                    image,
                                    bitmap,
                                    actions,
                                    granularityBytes == null ? 0 : granularityBytes,
                                    sourceFile == null
                                            ? null
                                            : new LocalImage(
                                                    sourceFile,
                                                    sourceFormat == null
                                                            ? ImageFormat.QCOW2
                                                            : sourceFormat));
        }
        output.print(after.stream().map(BitmapCommand::fields).toList(), out -> print(after, out));
        return 0;
    }

    private void requireSense() {
        require(
                !actions.isEmpty(),
                "nothing to do: expected=--add, --remove, --clear, --enable, --disable or --merge");
        boolean adds = actions.stream().anyMatch(action -> action.verb() == Verb.ADD);
        boolean merges = actions.stream().anyMatch(action -> action.verb() == Verb.MERGE);
        require(adds || granularityBytes == null, "option=-g, expected=--add with it");
        require(merges || sourceFile == null, "option=-b, expected=--merge with it");
        require(
                sourceFile != null || sourceFormat == null,
                "option=-F, expected=the image that it is of: -b FILE");
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), otherwise);
        }
    }

    private static Map<String, Object> fields(BitmapInfo info) {
        Map<String, Object> fields = new LinkedHashMap<>();
        List<String> flags = new ArrayList<>();
        if (info.inconsistent()) {
            flags.add("in-use");
        }
        if (info.enabled()) {
            flags.add("auto");
        }
        fields.put("name", info.name());
        fields.put("flags", flags);
        fields.put("granularity", info.granularityBytes());
        if (info.dirtyBytes() >= 0) {
            fields.put("dirty-bytes", info.dirtyBytes());
        }
        return fields;
    }

    private static void print(List<BitmapInfo> bitmaps, PrintWriter out) {
        for (BitmapInfo info : bitmaps) {
            out.println(
                    NameText.printable(info.name())
                            + ": granularity "
                            + ByteSize.human(info.granularityBytes())
                            + (info.enabled() ? ", records" : ", does not record")
                            + (info.dirtyBytes() >= 0
                                    ? ", marked " + ByteSize.human(info.dirtyBytes())
                                    : "")
                            + (info.inconsistent() ? ", inconsistent" : ""));
        }
    }
}
