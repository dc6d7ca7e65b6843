package io.quoin.management.cli;

import io.quoin.management.operation.VolumeReplace;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin volume replace-brick}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "replace-brick",
        description = "Put a new brick in the place of one, and heal it.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The volume is started; its disks stay in use. All other bricks of the replica set have"
                    + " to be in sync.",
            "The same brick twice: it was wiped, and its folder is empty. Nothing of the old brick"
                    + " is deleted.",
            "force does what is unwise, as two copies on one disk; commit is allowed before it, and"
                    + " means nothing.",
            "",
            "Examples:",
            "  quoin volume replace-brick safe /srv/disk1/safe /srv/disk7/safe",
            "  quoin volume replace-brick safe /srv/disk1/safe /srv/disk1/safe",
            "  quoin volume replace-brick safe 10.0.0.2:24007 10.0.0.9:24007 commit force"
        })
final class VolumeReplaceBrickCommand extends ByJob {
    private static final List<String> WORDS = List.of("commit", "force");

    @Parameters(index = "0", paramLabel = "NAME", description = "name of the volume")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Parameters(
            index = "1",
            paramLabel = "BRICK",
            description = "the brick that is replaced, as quoin volume info shows it")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String brick;

    @Parameters(
            index = "2",
            paramLabel = "NEW-BRICK",
            description = "an empty folder, /absolute/path, or a brick daemon of one, HOST:PORT")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String by;

    @Parameters(index = "3..*", paramLabel = "WORD", description = "[commit] [force]")
    private List<String> words = new ArrayList<>();

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private TlsOption tls;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    Started<?> start() {
        for (String word : words) {
            if (!WORDS.contains(word)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "illegal word: value=" + word + ", expected=" + String.join(" or ", WORDS));
            }
        }
        WireOptions wire = tls.chosen(spec);
        TlsFiles files = wire.tls();
        return new Started<>(
                VolumeReplace.TYPE,
                new VolumeReplace.Request(
                        name,
                        brick,
                        by,
                        words.contains("force") ? true : null,
                        files == null ? null : absolute(files.certificate()),
                        files == null ? null : absolute(files.key()),
                        files == null ? null : absolute(files.ca()),
                        wire.isInsecure() ? true : null));
    }

    private static String absolute(Path file) {
        return NameText.of(NameText.absolute(file));
    }

    @Override
    String doing() {
        return "replacing";
    }

    @Override
    void print(Map<String, Object> result, PrintWriter writer) {
        writer.println(
                "Replaced "
                        + result.get("brick")
                        + " by "
                        + result.get("by")
                        + "; files that all bricks have: "
                        + number(result, "healed")
                        + " of "
                        + number(result, "files"));
    }
}
