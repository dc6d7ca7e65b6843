package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tools on images that something else has open: refused, with nothing changed. */
@Timeout(120)
class ImageInUseTest extends ImageToolsBed {
    private static final String IMAGE = "vm.qcow2";

    @BeforeEach
    void make() {
        Peer.QEMU_NBD.assumeAvailable();
        qemuImg("create", "-f", "raw", "base.raw", "4M");
        qemuImg("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", IMAGE);
        qemuImg("create", "-f", "qcow2", "other.qcow2", "4M");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "check FILE",
                "check --repair all FILE",
                "resize FILE +1M",
                "rebase -b '' FILE",
                "rebase -u -b '' FILE",
                "commit FILE",
                "bitmap --add FILE b",
                "convert FILE new.qcow2",
                "convert other.qcow2 FILE",
                "convert -n other.qcow2 FILE",
                "compare FILE other.qcow2",
                "measure FILE"
            })
    void shouldRefuseWhatQemuWrites(String command) throws IOException {
        byte[] before = Files.readAllBytes(folder.resolve(IMAGE));
        try (PeerProcess writer = qemuWrites()) {
            assertThat(writer.alive()).isTrue();
            Outcome outcome = run(command);
            assertThat(outcome.exitCode()).as("%s", outcome).isIn(1, 2);
            assertThat(outcome.err()).contains("file is in use: file=" + IMAGE);
            assertThat(folder.resolve(IMAGE)).hasBinaryContent(before);
            assertThat(folder.resolve("new.qcow2")).doesNotExist();
        }
        assertThat(run("check FILE").exitCode()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "check -U FILE",
                "convert -U FILE new.qcow2",
                "compare -U FILE other.qcow2",
                "measure -U FILE",
                "info FILE",
                "map FILE"
            })
    void shouldReadWhatQemuWritesWhenToldTo(String command) {
        try (PeerProcess writer = qemuWrites()) {
            assertThat(writer.alive()).isTrue();
            Outcome outcome = run(command);
            assertThat(outcome.exitCode()).as("%s", outcome).isZero();
        }
    }

    @Test
    void shouldFollowLinksToABrickThatIsServed() throws IOException {
        Path link = folder.resolve("link.qcow2");
        try (ServedBrick brick = new ServedBrick(folder.resolve("brick"))) {
            Path image = brick.folder().resolve("vm1.qcow2");
            qemuImg("create", "-f", "qcow2", image.toString(), "1M");
            Files.createSymbolicLink(link, image);
            Outcome outcome = run("check --repair all " + link);
            assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(1);
            assertThat(outcome.err())
                    .contains("brick folder is in use")
                    .contains("quoin disk check");
        }
        assertThat(run("check --repair all " + link).exitCode()).isZero();
    }

    /** Its socket is there before the image is open; the answer comes afterwards. */
    private PeerProcess qemuWrites() {
        Path socket = folder.resolve("nbd.sock");
        PeerProcess process =
                Peer.QEMU_NBD
                        .command("-t", "-k", socket + "", "-f", "qcow2", folder.resolve(IMAGE) + "")
                        .start()
                        .awaitSocket(socket, Duration.ofSeconds(20));
        qemuImg("info", "nbd+unix:///?socket=" + socket);
        return process;
    }

    private Outcome run(String command) {
        List<String> arguments = new ArrayList<>();
        for (String word : command.split(" ", -1)) {
            boolean isFile = word.contains(".") && !word.startsWith("/");
            String text = word.equals("FILE") ? IMAGE : word.equals("''") ? "" : word;
            boolean isPath = isFile || word.equals("FILE");
            arguments.add(isPath ? at(text) : text);
        }
        return run(arguments);
    }
}
