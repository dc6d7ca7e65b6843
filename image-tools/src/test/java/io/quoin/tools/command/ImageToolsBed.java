package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * A folder of images, and the tools of both sides on them.
 *
 * <p>Threading: confined to the test.
 */
abstract class ImageToolsBed {
    static final ObjectMapper JSON = new ObjectMapper();
    static final long SEED = Long.getLong("quoin.seed", new Random().nextLong());

    @TempDir Path folder;

    @BeforeEach
    void requirePeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        System.out.println("seed: -Dquoin.seed=" + SEED);
    }

    final String at(String name) {
        return folder.resolve(name).toString();
    }

    final void copy(String from, String to) throws IOException {
        Files.copy(folder.resolve(from), folder.resolve(to));
    }

    final String qemuImg(String... arguments) {
        return Peer.QEMU_IMG.command(arguments).directory(folder).runOk().stdout();
    }

    final void qemuIo(String format, String file, String command) {
        PeerCommand.of("qemu-io", "-f", format, "-c", command, file).directory(folder).runOk();
    }

    final void checkClean(String file) {
        qemuImg("check", "-f", "qcow2", file);
    }

    final void compare(String first, String second) {
        qemuImg("compare", "-f", format(first), "-F", format(second), first, second);
    }

    static String format(String file) {
        return file.endsWith(".raw") ? "raw" : "qcow2";
    }

    final Outcome ok(String... arguments) {
        Outcome outcome = run(List.of(arguments));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return outcome;
    }

    final JsonNode json(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(1, List.of("--output", "json"));
        return JSON.readTree(ok(all.toArray(String[]::new)).out());
    }

    static Outcome run(List<String> arguments) {
        return ImageProgram.run(arguments);
    }
}
