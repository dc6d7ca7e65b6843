package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of files that cannot be used: which file, and why, in words. */
@Timeout(120)
class BrokenUsesTest extends ImageToolsBed {
    /** Verbs, with FILE for the one that is broken. */
    private static final List<String> TOOLS =
            List.of(
                    "info FILE",
                    "info --backing-chain FILE",
                    "check FILE",
                    "map FILE",
                    "convert FILE out.qcow2",
                    "convert -n good.qcow2 FILE",
                    "convert -B FILE -F qcow2 good.qcow2 out.qcow2",
                    "compare FILE good.qcow2",
                    "compare good.qcow2 FILE",
                    "measure -O qcow2 FILE",
                    "resize FILE 2M",
                    "rebase -b good.qcow2 -F qcow2 FILE",
                    "rebase -b FILE -F qcow2 overlay.qcow2",
                    "commit FILE",
                    "bitmap --add FILE b",
                    "create -b FILE -F qcow2 out.qcow2");

    @BeforeEach
    void makeImages() throws IOException {
        qemuImg("create", "-qfqcow2", "good.qcow2", "1M");
        qemuImg("create", "-qfqcow2", "-b", "good.qcow2", "-F", "qcow2", "overlay.qcow2");
    }

    /** Runs a tool in a folder that it is told with each name. */
    private Outcome use(String line, String file) {
        List<String> arguments = new ArrayList<>();
        String previous = "";
        for (String word : line.split(" ", -1)) {
            String name = word.equals("FILE") ? file : word;
            boolean isPlain = previous.equals("-b") || previous.equals("-B");
            boolean isFile = name.endsWith(".qcow2") && !isPlain;
            arguments.add(isFile ? at(name) : name);
            previous = word;
        }
        return run(arguments);
    }

    private void requireWords(String line, Outcome outcome) {
        assertThat(outcome.exitCode()).as(line + outcome.out()).isPositive();
        assertThat(outcome.err())
                .as(line)
                .startsWith("quoin: ")
                .doesNotContain(
                        "Exception", "java.", "null", "io.quoin", "unexpected", "internal error");
        assertThat(outcome.err().lines().filter(text -> !text.startsWith("Try '")).toList())
                .as(line)
                .hasSize(1);
        assertThat(folder.resolve("out.qcow2")).as(line).doesNotExist();
    }

    @Test
    void shouldNameTheFileAndTheReasonWhenItCannotBeUsed() throws IOException {
        Map<String, String> reasons = new TreeMap<>();
        reasons.put("missing.qcow2", "no such|ENOENT|plain file");
        Files.createDirectory(folder.resolve("folder.qcow2"));
        reasons.put("folder.qcow2", "not a regular file|EISDIR|plain file");
        Files.createFile(folder.resolve("empty.qcow2"));
        reasons.put("empty.qcow2", "empty|file size=0");
        Files.writeString(folder.resolve("text.qcow2"), "no image at all, and long enough for one");
        reasons.put("text.qcow2", "no qcow2 magic number|file size=40");
        Files.createSymbolicLink(folder.resolve("loop.qcow2"), Path.of("loop.qcow2"));
        reasons.put("loop.qcow2", "Too many levels|ELOOP|plain file|symbolic link");
        PeerCommand.of("mkfifo", at("pipe.qcow2")).runOk();
        reasons.put("pipe.qcow2", "not a regular file|plain file");
        Path closed = folder.resolve("closed.qcow2");
        Files.copy(folder.resolve("good.qcow2"), closed);
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        if (!Files.isReadable(closed)) { // else this is root
            reasons.put("closed.qcow2", "permission denied|EACCES");
        }
        for (Map.Entry<String, String> reason : reasons.entrySet()) {
            for (String line : TOOLS) {
                String what = line.replace("FILE", reason.getKey());
                Outcome outcome = use(line, reason.getKey());
                requireWords(what, outcome);
                assertThat(outcome.err()).as(what).contains(reason.getKey());
                assertThat(outcome.err()).as(what).containsPattern(reason.getValue());
            }
        }
    }

    @Test
    void shouldNameTheFileThatIsWrongWhenItIsInTheMiddleOfAChain() throws IOException {
        qemuImg("create", "-qfqcow2", "-b", "good.qcow2", "-F", "qcow2", "middle.qcow2");
        qemuImg("create", "-qfqcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2");
        byte[] noise = new byte[100_000];
        new java.util.Random(SEED).nextBytes(noise);
        Files.write(folder.resolve("middle.qcow2"), noise);
        List<String> lines = new ArrayList<>(TOOLS);
        // These do not look further than the file itself.
        lines.removeAll(List.of("info FILE", "check FILE", "resize FILE 2M"));
        for (String line : lines) {
            Outcome outcome = use(line, "top.qcow2");
            requireWords(line, outcome);
            assertThat(outcome.err()).as(line).containsOnlyOnce("middle.qcow2");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "convert good.qcow2 nowhere/out.qcow2",
                "convert good.qcow2 good.qcow2/out.qcow2",
                "create nowhere/out.qcow2 1M",
                "create good.qcow2/out.qcow2 1M",
                "create good.qcow2 1M",
                "info good.qcow2/a.qcow2",
                "convert -n good.qcow2 nowhere/out.qcow2",
                "convert -l nosuch good.qcow2 out.qcow2",
                "convert -m x good.qcow2 out.qcow2",
                "convert -S x good.qcow2 out.qcow2",
                "convert -f vmdk good.qcow2 out.qcow2",
                "convert -o cluster_size=x good.qcow2 out.qcow2",
                "resize good.qcow2 x",
                "resize good.qcow2 9999999999T",
                "create -o backing_fmt=vmdk,backing_file=good.qcow2 out.qcow2",
            })
    void shouldSayWhatIsWrongInWords(String line) {
        requireWords(line, use(line, ""));
    }

    @Test
    void shouldSayWhyAServerCannotBeReached() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Map<String, String> reasons =
                Map.of(
                        "nbd://127.0.0.1:" + port + "/a",
                        "refused",
                        "nbd+unix:///a?socket=" + at("none"),
                        "no such socket",
                        "nbd+unix:///a?socket=" + at("good.qcow2"),
                        "refused",
                        "nbd://no_such_host.invalid/a",
                        "its name is not known",
                        "nbds://localhost/a",
                        "not supported");
        for (Map.Entry<String, String> reason : reasons.entrySet()) {
            for (String line : List.of("info U", "map U", "measure -O qcow2 U", "compare U U")) {
                Outcome outcome = run(List.of(line.replace("U", reason.getKey()).split(" ")));
                requireWords(line, outcome);
                assertThat(outcome.err()).contains(reason.getValue());
            }
        }
    }
}
