package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

@Timeout(120)
class CommandLineTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));

    private final SocketFolder folder = SocketFolder.create();
    private final String data = folder.resolve("data").toString();

    /** What a command printed and returned. */
    private record Outcome(int exitCode, String out, String err) {}

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldTakeADiskThroughItsLifeWithoutADaemon() throws IOException {
        assertThat(run("disk", "create", "vm1", "10M", "--data", data).out())
                .isEqualTo("Created vm1, 10 MiB\n");

        JsonNode disks = json("disk", "ls", "--data", data);
        assertThat(disks).hasSize(1);
        assertThat(names(disks.get(0)))
                .containsExactly("name", "sizeBytes", "allocatedBytes", "connections", "details");

        JsonNode info = json("disk", "info", "vm1", "--data", data);
        assertThat(info.path("sizeBytes").asLong()).isEqualTo(10 << 20);
        assertThat(info.path("connections").asInt()).isZero();
        assertThat(info.path("details").path("file").asText()).isEqualTo("vm1.qcow2");

        assertThat(run("disk", "resize", "vm1", "20M", "--data", data).out())
                .isEqualTo("Resized vm1, 20 MiB\n");
        assertThat(run("disk", "rm", "vm1", "--now", "--data", data).out())
                .isEqualTo("Removed vm1\n");
        assertThat(json("disk", "ls", "--data", data)).isEmpty();
        assertThat(json("trash", "ls", "--data", data)).isEmpty();
    }

    @Test
    void shouldRemoveADiskThatCannotBeReadWhenForced() throws IOException {
        run("disk", "create", "vm1", "10M", "--data", data);
        Files.write(Path.of(data, "brick", "bad.qcow2"), new byte[100]);

        assertThat(run("disk", "ls", "--data", data).out())
                .contains("unreadable", "bad cannot be read: ", "quoin disk rm --force removes it");
        assertThat(run("disk", "rm", "bad", "--data", data).exitCode()).isEqualTo(1);
        assertThat(run("disk", "rm", "bad", "--force", "--data", data).out())
                .isEqualTo("Removed bad\n");
        assertThat(json("trash", "ls", "--data", data)).isEmpty();

        // Of one that can be read it changes nothing.
        assertThat(run("disk", "rm", "vm1", "--force", "--data", data).out())
                .startsWith("Removed vm1, in the trash until ");
        assertThat(json("trash", "ls", "--data", data)).hasSize(1);
    }

    @Test
    void shouldKeepARemovedDiskUntilItIsRestoredOrPurged() throws IOException {
        run("disk", "create", "vm1", "10M", "--data", data);
        assertThat(run("disk", "rm", "vm1", "--data", data).out())
                .startsWith("Removed vm1, in the trash until ");
        assertThat(json("disk", "ls", "--data", data)).isEmpty();
        JsonNode kept = json("trash", "ls", "--data", data);
        assertThat(kept).hasSize(1);
        assertThat(kept.get(0).path("name").asText()).isEqualTo("vm1");
        assertThat(kept.get(0).path("sizeBytes").asLong()).isEqualTo(10 << 20);
        assertThat(run("trash", "ls", "--data", data).out())
                .contains("vm1", "10 MiB", "Allocated in all: ");
        assertThat(run("trash", "restore", "vm1", "--as", "vm2", "--data", data).out())
                .isEqualTo("Restored vm2\n");
        assertThat(json("disk", "ls", "--data", data)).hasSize(1);
        run("disk", "rm", "vm2", "--data", data);
        assertThat(run("trash", "purge", "--expired", "--data", data).out()).isEmpty();
        assertThat(run("trash", "purge", "vm2", "--data", data).out()).startsWith("Purged vm2, ");
        assertThat(json("trash", "ls", "--data", data)).isEmpty();
        assertThat(run("trash", "purge", "--data", data).exitCode()).isEqualTo(2);
    }

    @Test
    void shouldFlattenACloneWithoutADaemon() throws IOException {
        run("disk", "create", "golden", "10M", "--data", data);
        run("disk", "clone", "golden", "vm1", "--data", data);
        assertThat(run("disk", "flatten", "vm1", "--data", data).out())
                .contains("Flattened vm1, which stood on golden: 0 B copied");
        assertThat(run("disk", "flatten", "vm1", "--data", data).out())
                .contains("vm1 stands on no other disk");
        assertThat(run("disk", "rm", "golden", "--data", data).exitCode()).isZero();
        assertThat(run("disk", "flatten", "vm", "--data", data).err())
                .contains("did you mean vm1?");
    }

    @Test
    void shouldCloneOneDiskOrManyByAPattern() throws IOException {
        run("disk", "create", "golden", "10M", "--data", data);
        assertThat(run("disk", "clone", "golden", "vm1", "--size", "20M", "--data", data).out())
                .isEqualTo("Created vm1, 20 MiB\n");
        String[] many = {
            "disk", "clone", "golden", "--count", "60", "--name-pattern", "vm-%03d", "--first", "5"
        };
        JsonNode made =
                json(
                        Stream.concat(Stream.of(many), Stream.of("--data", data))
                                .toArray(String[]::new));
        assertThat(made).hasSize(60);
        assertThat(made.get(0).path("name").asText()).isEqualTo("vm-005");
        assertThat(made.get(59).path("name").asText()).isEqualTo("vm-064");
        assertThat(json("disk", "children", "golden", "--data", data)).hasSize(61);
        assertThat(run("disk", "children", "golden", "--data", data).out()).startsWith("vm-005\n");
    }

    @Test
    void shouldPassImageOptionsDown() throws IOException {
        run("disk", "create", "vm1", "10M", "-o", "cluster_size=4096", "--data", data);
        assertThat(json("disk", "info", "vm1", "--data", data).at("/details/cluster-size").asInt())
                .isEqualTo(4096);

        run("disk", "create", "vm2", "10M", "--format", "raw", "--data", data);
        assertThat(folder.resolve("data/brick/vm2.raw")).hasSize(10 << 20);
    }

    @Test
    void shouldSayWhichClonesWereMadeWhenALaterOneFails() {
        run("disk", "create", "golden", "1M", "--data", data);
        run("disk", "create", "vm-052", "1M", "--data", data);
        Outcome failed =
                run(
                        "disk",
                        "clone",
                        "golden",
                        "--count",
                        "60",
                        "--name-pattern",
                        "vm-%03d",
                        "--data",
                        data);
        assertThat(failed.exitCode()).isEqualTo(1);
        assertThat(failed.err())
                .contains("name=vm-052", "clones made before: 50, vm-001 to vm-050");
    }

    @Test
    void shouldSayHowToAttachADisk() throws IOException {
        run("disk", "create", "vm1", "10M", "--data", data);
        String socket = data + "/nbd.sock";

        assertThat(run("disk", "uri", "vm1", "--data", data).out())
                .isEqualTo("nbd+unix:///vm1?socket=" + socket + "\n");
        assertThat(run("disk", "qemu-args", "vm1", "--data", data).out())
                .startsWith("-blockdev driver=nbd,node-name=vm1,server.type=unix,server.path=");
        assertThat(json("disk", "qemu-args", "vm1", "--data", data).path("arguments")).hasSize(4);
        assertThat(run("disk", "xml", "vm1", "--target", "vdc", "--data", data).out())
                .contains("socket='" + socket + "'", "<target dev='vdc' bus='virtio'/>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "disk info vm2                | 1 | no such disk: name=vm2; did you mean vm1?",
                "disk create vm1 1G           | 1 | disk already exists: name=vm1",
                "disk create a@b 1G           | 1 | illegal disk name: name=a@b",
                "disk create vm2 1000         | 1 | illegal disk size: size=1000",
                "disk create vm2 1G -o x=1    | 1 | x",
                "disk create vm2 1G --format x| 1 | unknown disk format: name=x",
                "disk resize vm1 1M           | 1 | disk cannot shrink: name=vm1",
                "disk check vm2               | 1 | no such disk: name=vm2; did you mean vm1?",
                "disk check --repair all vm1  | 1 | quoin image check --repair all",
                "disk check --repair x vm1    | 2 | --repair",
                "disk du vm2                  | 1 | no such disk: name=vm2; did you mean vm1?",
                "disk export vm2 /nowhere/x   | 1 | no such disk: name=vm2; did you mean vm1?",
                "disk export vm1@a /nowhere/x | 1 | no such snapshot: name=vm1@a",
                "disk export vm1 /nowhere/x   | 1 | no such folder: path=/nowhere",
                "disk export vm1 /x.raw -c    | 1 | raw images cannot be compressed",
                "disk export vm1 x --format y | 2 | --format",
                "disk import /nowhere/x vm2   | 1 | no such image file: path=/nowhere/x",
                "disk import /nowhere/x a@b   | 1 | no such image file: path=/nowhere/x",
                "disk import nbd://[ vm2      | 1 | nbd://[",
                "disk uri vm2                 | 1 | did you mean vm1?",
                "disk clone vm2 vm3           | 1 | no such disk: name=vm2; did you mean vm1?",
                "disk clone vm1               | 2 | --name-pattern",
                "disk clone vm1 vm2 --count 2 | 2 | --name-pattern",
                "disk clone vm1 --count 2 --name-pattern vm | 2 | value=vm, expected=one %d",
                "disk children vm2            | 1 | did you mean vm1?",
                "status                       | 1 | no service answers",
                "status --wait 0.2            | 1 | quoin serve --data",
                "disk create vm2 10X          | 2 | value=10X, expected=",
                "disk create vm2              | 2 | SIZE",
                "disk creat vm2 1G            | 2 | create",
                "disk                         | 2 | command missing",
                "disk ls --output yaml        | 2 | yaml",
                "serve --disk vm1             | 2 | expected=NAME=SIZE",
                "serve --socket-mode 999      | 2 | value=999, expected=octal",
                "serve --listen 10809         | 1 | HOST:PORT",
                "statsu                       | 2 | status"
            })
    void shouldSayWhatIsWrongInOneLineWithItsExitCode(String line, int exitCode, String message) {
        run("disk", "create", "vm1", "10M", "--data", data);
        List<String> arguments = new ArrayList<>(List.of(line.trim().split(" +")));
        if (arguments.size() > 1 || arguments.get(0).equals("status")) {
            arguments.addAll(List.of("--data", data));
        }

        Outcome outcome = run(arguments.toArray(String[]::new));

        assertThat(outcome.err()).startsWith("quoin: ").contains(message);
        assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(exitCode);
        if (exitCode == 1) {
            assertThat(outcome.err().lines()).hasSize(1);
        }
        assertThat(outcome.out()).isEmpty();
    }

    static Stream<String> commands() {
        return paths(QuoinCommand.commandLine(), "").stream();
    }

    private static List<String> paths(CommandLine command, String path) {
        List<String> paths = new ArrayList<>();
        command.getSubcommands()
                .forEach(
                        (name, sub) -> {
                            if (!sub.getCommandSpec().usageMessage().hidden()) {
                                paths.add((path + " " + name).trim());
                                paths.addAll(paths(sub, path + " " + name));
                            }
                        });
        return paths;
    }

    @ParameterizedTest
    @MethodSource("commands")
    void shouldExplainEachCommandWithAnExample(String command) {
        List<String> arguments = new ArrayList<>(List.of(command.split(" ")));
        arguments.add("--help");

        Outcome help = run(arguments.toArray(String[]::new));

        assertThat(help.exitCode()).isZero();
        assertThat(help.out()).contains("Usage: quoin " + command).containsPattern("Examples?:");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void shouldBeInTheDocumentation(String command) throws IOException {
        assertThat(Files.readString(ROOT.resolve("docs/cli.md"))).contains("quoin " + command);
    }

    @Test
    void shouldPrintItsVersion() {
        assertThat(run("--version").out())
                .matches("quoin \\d+\\.\\d+\\.\\d+\\S* \\(commit \\S+, Java .*\\)\n");
    }

    @Test
    void shouldPrintACompletionScriptThatBashTakes() {
        Peer.BASH.assumeAvailable();
        Outcome completion = run("completion");

        assertThat(completion.out()).contains("complete ", "qemu-args");
        PeerCommand.of("bash", "-n").stdin(completion.out()).runOk();
    }

    @Test
    @DisplayName("QCOW2 141: the exit codes of qemu-img check, 63 for a format without one")
    void shouldHaveTheExitCodesOfQemuImgWhenChecking() throws IOException {
        run("disk", "create", "vm1", "10M", "--data", data);
        String image = folder.resolve("data/brick/vm1.qcow2").toString();

        JsonNode clean = json("image", "check", image);
        assertThat(clean.path("check-errors").asLong(-1)).isZero();
        assertThat(clean.path("filename").asText()).isEqualTo(image);

        Path damaged = folder.resolve("damaged.qcow2");
        byte[] bytes = Files.readAllBytes(Path.of(image));
        bytes[7] = 9;
        Files.write(damaged, bytes);
        assertThat(run("image", "check", damaged.toString()).exitCode()).isEqualTo(1);
        assertThat(run("image", "check", folder.resolve("none.qcow2").toString()).exitCode())
                .isEqualTo(1);

        Path raw = Files.write(folder.resolve("disk.raw"), new byte[1024]);
        assertThat(run("image", "check", raw.toString()).exitCode()).isEqualTo(63);
        assertThat(run("image", "check", "-f", "raw", image).exitCode()).isEqualTo(63);
        assertThat(run("image", "check", "--repair", "all", raw.toString()).exitCode())
                .isEqualTo(63);
        if (Peer.QEMU_IMG.available()) {
            assertThat(Peer.QEMU_IMG.command("check", "-f", "raw", raw.toString()).run().exitCode())
                    .isEqualTo(63);
        }
        assertThat(json("image", "info", raw.toString()).path("virtual-size").asLong())
                .isEqualTo(1024);
        assertThat(json("image", "map", raw.toString())).hasSize(1);
    }

    @Test
    void shouldHaveTheSameExitCodesWhenCheckingADisk() throws IOException {
        run("disk", "create", "vm1", "10M", "--data", data);
        run("disk", "create", "vm2", "10M", "--format", "raw", "--data", data);

        JsonNode clean = json("disk", "check", "vm1", "--data", data);
        assertThat(clean.path("name").asText()).isEqualTo("vm1");
        assertThat(clean.path("check-errors").asLong(-1)).isZero();
        assertThat(run("disk", "check", "vm1", "--data", data).out())
                .startsWith("consistent: no errors\n")
                .contains("counted ahead: 0");
        Outcome raw = run("disk", "check", "vm2", "--data", data);
        assertThat(raw.exitCode()).isEqualTo(63);
        assertThat(raw.err()).contains("not qcow2: name=vm2");

        Path image = folder.resolve("data/brick/vm1.qcow2");
        byte[] bytes = Files.readAllBytes(image);
        ByteBuffer fields = ByteBuffer.wrap(bytes);
        int block = (int) fields.getLong((int) fields.getLong(48));
        fields.putShort(block + 2 * 100, (short) 1);
        Files.write(image, Arrays.copyOf(bytes, 101 << 16));
        Outcome leaked = run("disk", "check", "vm1", "--data", data);
        assertThat(leaked.exitCode()).isEqualTo(3);
        assertThat(leaked.err()).startsWith("Leaked cluster 100 refcount=1 reference=0");
        Outcome repaired = run("disk", "check", "--repair", "leaks", "vm1", "--data", data);
        assertThat(repaired.exitCode()).as(repaired.err()).isZero();
        assertThat(repaired.out()).startsWith("repaired: leaks=1, corruptions=0\n");
        assertThat(run("image", "check", image.toString()).exitCode()).isZero();
    }

    @Test
    void shouldNameTheWayOutWhenAnImageIsServed() {
        run("disk", "create", "vm1", "10M", "--data", data);
        try (LocalVolume served = LocalVolume.open(new DataFolder(Path.of(data)), null, 1)) {
            assertThat(served.disks().list()).hasSize(1);
            String image = folder.resolve("data/brick/vm1.qcow2").toString();
            Outcome refused = run("image", "check", image);
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.err()).contains("quoin disk check vm1");
        }
    }

    @Test
    void shouldShowWhereTheBytesOfAnImageAre() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        String image = folder.resolve("image.qcow2").toString();
        PeerCommand.of("qemu-img", "create", "-q", "-f", "qcow2", image, "10M").runOk();
        PeerCommand.of("qemu-io", "-f", "qcow2", "-c", "write 1M 2M", image).runOk();

        JsonNode map = json("image", "map", image);
        assertThat(map).hasSize(3);
        assertThat(map.get(1).path("start").asLong()).isEqualTo(1 << 20);
        assertThat(map.get(1).path("data").asBoolean()).isTrue();
        assertThat(run("image", "map", image).out().lines()).hasSize(4);
        assertThat(json("image", "info", image).at("/format-specific/type").asText())
                .isEqualTo("qcow2");
        assertThat(run("image", "info", image).out()).contains("virtual-size: 10 MiB");
    }

    private JsonNode json(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--output", "json"));
        Outcome outcome = run(all.toArray(String[]::new));
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return JSON.readTree(outcome.out());
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Only the command that is called is made; it must not show. */
    @ParameterizedTest
    @MethodSource("commands")
    void shouldShowTheSameHelpWhetherAllCommandsAreMadeOrOne(String path) {
        List<String> arguments = new ArrayList<>(List.of(path.split(" ")));
        arguments.add("--help");
        StringWriter help = new StringWriter();
        CommandLine all = QuoinCommand.commandLine();
        all.setOut(new PrintWriter(help));
        assertThat(all.execute(arguments.toArray(String[]::new))).isZero();
        assertThat(run(arguments.toArray(String[]::new)).out()).isEqualTo(help.toString());
    }

    @Test
    void shouldMakeOnlyTheCommandThatIsCalled() {
        CommandLine called = QuoinCommand.commandLine("disk", "ls", "--output", "json");
        assertThat(called.getSubcommands()).containsOnlyKeys("disk");
        CommandLine disk = called.getSubcommands().get("disk");
        assertThat(disk.getSubcommands()).containsOnlyKeys("ls");
        assertThat(QuoinCommand.commandLine("dsk").getSubcommands())
                .containsKeys("disk", "job", "serve");
    }

    private static Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(arguments);
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
