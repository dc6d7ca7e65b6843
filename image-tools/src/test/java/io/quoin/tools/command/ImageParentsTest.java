package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The tools on images that others stand on: refused in a volume's folder, allowed in a plain one.
 */
@Timeout(120)
class ImageParentsTest extends ImageToolsBed {
    private static final List<String> NAMES =
            List.of("low.qcow2", "base.qcow2", "ov.qcow2", "other.qcow2");

    private Path brick() {
        try (ServedBrick brick = new ServedBrick(folder.resolve("brick"))) {
            return brick.folder();
        }
    }

    /** low.qcow2 <- base.qcow2 <- ov.qcow2, and another. */
    private void fill(Path images) {
        qemuImg("create", "-f", "qcow2", images.resolve("low.qcow2").toString(), "4M");
        qemuIo("qcow2", images.resolve("low.qcow2").toString(), "write -P 1 0 1M");
        overlay(images, "base.qcow2", "low.qcow2");
        qemuIo("qcow2", images.resolve("base.qcow2").toString(), "write -P 2 1M 1M");
        overlay(images, "ov.qcow2", "base.qcow2");
        qemuIo("qcow2", images.resolve("ov.qcow2").toString(), "write -P 3 2M 1M");
        qemuImg("create", "-f", "qcow2", images.resolve("other.qcow2").toString(), "8M");
    }

    private void overlay(Path images, String name, String backing) {
        String file = images.resolve(name).toString();
        qemuImg("create", "-f", "qcow2", "-b", backing, "-F", "qcow2", file);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "resize DIR/base.qcow2 +1M",
                "resize --shrink DIR/base.qcow2 1M",
                "resize -f raw DIR/base.qcow2 +1M",
                "commit DIR/base.qcow2",
                "commit -b low.qcow2 DIR/ov.qcow2",
                "rebase -u -b '' DIR/base.qcow2",
                "check --repair all DIR/base.qcow2",
                "bitmap --add DIR/base.qcow2 b",
                "convert DIR/other.qcow2 DIR/base.qcow2",
                "convert -n DIR/other.qcow2 DIR/low.qcow2"
            })
    void shouldRefuseToChangeWhatOthersStandOnInAVolumesFolder(String command) throws IOException {
        Path brick = brick();
        fill(brick);
        List<Integer> before = contents(brick);
        Outcome outcome = run(command, brick);
        assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(1);
        assertThat(outcome.err()).contains("others stand on the file", "used by=");
        assertThat(contents(brick)).isEqualTo(before);
        assertThat(brick.toFile().list()).hasSize(NAMES.size() + 1); // and its own folder
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "check DIR/base.qcow2",
                "check --repair leaks DIR/base.qcow2",
                "rebase -b '' DIR/base.qcow2",
                "rebase -b low.qcow2 -F qcow2 DIR/ov.qcow2",
                "commit DIR/ov.qcow2",
                "commit --keep DIR/ov.qcow2",
                "resize DIR/ov.qcow2 +1M",
                "convert DIR/base.qcow2 DIR/new.qcow2",
                "info DIR/base.qcow2",
                "map DIR/base.qcow2"
            })
    void shouldDoWhatChangesNothingForOthersInAVolumesFolder(String command) throws IOException {
        Path brick = brick();
        fill(brick);
        Outcome outcome = run(command, brick);
        assertThat(outcome.exitCode()).as("%s", outcome).isZero();
        String top = brick.resolve("ov.qcow2").toString();
        for (String read : List.of("read -P 1 0 1M", "read -P 2 1M 1M", "read -P 3 2M 1M")) {
            qemuIo("qcow2", top, read);
        }
        checkClean(top);
        checkClean(brick.resolve("base.qcow2").toString());
    }

    @Test
    void shouldRefuseToChangeWhatAnImageInTheTrashStandsOn() throws IOException {
        Path brick = brick();
        fill(brick);
        Files.move(brick.resolve("ov.qcow2"), brick.resolve("ov.qcow2.trash-1764691200-0123abcd"));
        Outcome outcome = run("resize DIR/base.qcow2 +1M", brick);
        assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(1);
        assertThat(outcome.err()).contains("used by=ov.qcow2 (in the trash);");
    }

    @Test
    void shouldRefuseToCommitWhereOthersStandOnTheSameBackingFile() {
        Path brick = brick();
        fill(brick);
        overlay(brick, "second.qcow2", "base.qcow2");
        Outcome outcome = run("commit --keep DIR/ov.qcow2", brick);
        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("used by=second.qcow2;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "resize DIR/base.qcow2 +1M",
                "commit DIR/base.qcow2",
                "commit -b low.qcow2 DIR/ov.qcow2",
                "rebase -u -b '' DIR/base.qcow2",
                "check --repair all DIR/base.qcow2",
                "bitmap --add DIR/base.qcow2 b",
                "convert DIR/other.qcow2 DIR/base.qcow2"
            })
    void shouldDoAsQemuImgInAPlainFolder(String command) {
        fill(folder);
        Outcome outcome = run(command, folder);
        assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    }

    @Test
    void shouldRefuseAChainThatWouldBeALoop() {
        fill(folder);
        Outcome outcome = run("rebase -u -b ov.qcow2 -F qcow2 DIR/low.qcow2", folder);
        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("backing chain would be a loop");
        checkClean(at("low.qcow2"));
    }

    @Test
    void shouldRestoreABackingFileThatWasLostButMakeNoEmptyOne() throws IOException {
        Path brick = brick();
        fill(brick);
        Files.move(brick.resolve("base.qcow2"), folder.resolve("saved.qcow2"));
        Outcome made = run("create DIR/base.qcow2 4M", brick);
        assertThat(made.exitCode()).isEqualTo(1);
        assertThat(made.err()).contains("used by=ov.qcow2;");
        qemuImg("rebase", "-u", "-b", "", "saved.qcow2");
        Outcome restored = run("convert " + at("saved.qcow2") + " DIR/base.qcow2", brick);
        assertThat(restored.exitCode()).as("%s", restored).isZero();
        qemuIo("qcow2", brick.resolve("ov.qcow2").toString(), "read -P 2 1M 1M");
    }

    private static Outcome run(String command, Path images) {
        List<String> arguments = new ArrayList<>();
        for (String word : command.replace("DIR", images.toString()).split(" ", -1)) {
            arguments.add(word.equals("''") ? "" : word);
        }
        return run(arguments);
    }

    private static List<Integer> contents(Path images) throws IOException {
        List<Integer> contents = new ArrayList<>();
        for (String name : NAMES) {
            contents.add(Arrays.hashCode(Files.readAllBytes(images.resolve(name))));
        }
        return contents;
    }
}
