package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.management.brick.BrickOptions;
import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.volume.DataFolder;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Replicated volumes from {@code quoin volume create} to a guest's bytes, over NBD. */
@Timeout(180)
class ReplicaVolumeTest {
    private final SocketFolder folders = SocketFolder.create();
    private final DataFolder folder = new DataFolder(folders.resolve("data"));
    private final List<BrickDaemon> daemons = new ArrayList<>();

    /** What a command printed and returned. */
    private record Outcome(int exitCode, String out, String err) {}

    @AfterEach
    void removeTheFolder() {
        daemons.forEach(BrickDaemon::close);
        folders.close();
    }

    private Daemon serve() {
        return Daemon.start(
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test"));
    }

    private Path brick(int number) {
        return folders.resolve("b" + number);
    }

    private String[] bricks(int count) {
        return Stream.iterate(0, number -> number + 1)
                .limit(count)
                .map(number -> brick(number).toString())
                .toArray(String[]::new);
    }

    private String daemon(int number, String listen) throws IOException {
        Files.createDirectories(brick(number));
        BrickDaemon daemon =
                BrickDaemon.start(
                        new BrickOptions(
                                brick(number),
                                BrickAddress.parse(listen),
                                WireOptions.local(),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(30)));
        daemons.add(daemon);
        return daemon.address().toString();
    }

    private void create(String words, String... bricks) {
        List<String> all = new ArrayList<>(List.of("volume", "create", "vms"));
        all.addAll(Arrays.asList(words.split(" ")));
        all.addAll(Arrays.asList(bricks));
        all.add("force");
        ok(all.toArray(String[]::new));
    }

    private static void io(Daemon daemon, String command) {
        String uri = daemon.addresses().uris("vms/vm1").get(0);
        Peer.QEMU_IO.command("-f", "raw", "-c", command, uri).runOk();
    }

    @ParameterizedTest
    @CsvSource({
        "replica 2, 2",
        "replica 3, 3",
        "replica 3 arbiter 1, 3",
        "replica 2 stripe 2, 4",
    })
    void shouldServeADiskOfEachLayoutOverARestart(String words, int count) {
        Peer.assumeAll(Peer.QEMU_IO);
        create(words, bricks(count));
        ok("volume", "start", "vms");
        try (Daemon daemon = serve()) {
            ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 5M");
            ok("volume", "stop", "vms");
            ok("volume", "start", "vms");
            io(daemon, "read -P 7 1M 5M");
        }
        try (Daemon daemon = serve()) {
            io(daemon, "read -P 7 1M 5M");
        }
    }

    @Test
    void shouldServeWithoutOneBrickAndWithItAgain() throws IOException {
        Peer.assumeAll(Peer.QEMU_IO);
        create("replica 3", bricks(3));
        ok("volume", "start", "vms");
        try (Daemon daemon = serve()) {
            ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
        }
        Path away = folders.resolve("away");
        Files.move(brick(1), away);
        try (Daemon daemon = serve()) {
            io(daemon, "read -P 7 1M 1M");
            io(daemon, "write -P 8 1M 1M");
            assertThat(brick(1)).as("not made anew").doesNotExist();
            JsonNode bricks = json("volume", "status", "vms").path("bricks");
            assertThat(bricks.path(0).path("isOnline").asBoolean()).isTrue();
            assertThat(bricks.path(0).path("totalBytes").asLong()).isPositive();
            assertThat(bricks.path(1).path("isOnline").asBoolean()).isFalse();
            assertThat(bricks.path(1).path("reason").asText())
                    .contains("is its file system mounted?");
            assertThat(ok("volume", "status", "vms")).contains(brick(1) + "  N");
            assertThat(ok("volume", "heal", "vms", "info"))
                    .contains("Brick " + brick(1) + "\nStatus: Not connected", " - ABSENT");
            assertThat(ok("volume", "heal", "vms"))
                    .contains(
                            "Not reached: brick=" + brick(1) + ", reason=",
                            "Files that all bricks have: 0 of ");
            Files.move(away, brick(1));
        }
        try (Daemon daemon = serve()) {
            assertThat(ok("volume", "heal", "vms", "full"))
                    .contains("Files that all bricks have: 2 of 2");
            io(daemon, "read -P 8 1M 1M");
            assertThat(ok("volume", "heal", "vms", "info"))
                    .contains("Brick " + brick(1) + "\nStatus: Connected\nNumber of entries: 0");
        }
    }

    @Test
    void shouldNotTakeABrickFormattedAnewForTheOneThatWasThere() throws IOException {
        Peer.assumeAll(Peer.QEMU_IO);
        create("replica 3", bricks(3));
        ok("volume", "start", "vms");
        try (Daemon daemon = serve()) {
            ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
        }
        String mark = Files.readString(brick(0).resolve(".quoin/volume-id"));
        Files.move(brick(0), folders.resolve("lost"));
        ok(
                "brick",
                "format",
                "--path",
                brick(0).toString(),
                "--volume",
                mark.strip(),
                "--index",
                "0",
                "--layout",
                "replica-3");
        Files.writeString(brick(0).resolve(".quoin/volume-id"), mark);
        try (Daemon daemon = serve()) {
            io(daemon, "read -P 7 1M 1M");
        }
        try (Stream<Path> files = Files.list(brick(0))) {
            assertThat(files.map(Path::toString)).noneMatch(name -> name.endsWith(".data"));
        }
    }

    @Test
    void shouldClaimDaemonsAndServeWhileOneIsDown() throws IOException {
        Peer.assumeAll(Peer.QEMU_IO);
        String[] addresses = new String[3];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = daemon(i, "127.0.0.1:0");
        }
        create("replica 3", addresses);
        ok("volume", "start", "vms");
        try (Daemon daemon = serve()) {
            ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
        }
        daemons.remove(1).close();
        try (Daemon daemon = serve()) {
            io(daemon, "read -P 7 1M 1M");
            io(daemon, "write -P 8 1M 1M");
        }
        daemon(1, addresses[1]);
        try (Daemon daemon = serve()) {
            io(daemon, "read -P 8 1M 1M");
        }
    }

    @Test
    void shouldWaitForABrickThatWasJustStartedWhenItHeals() throws IOException {
        Peer.assumeAll(Peer.QEMU_IO);
        String[] addresses = new String[3];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = daemon(i, "127.0.0.1:0");
        }
        create("replica 3", addresses);
        ok("volume", "start", "vms");
        try (Daemon daemon = serve()) {
            ok("disk", "create", "vms/vm1", "20M");
            daemons.remove(1).close();
            io(daemon, "write -P 8 1M 1M");
            assertThat(ok("volume", "heal", "vms"))
                    .contains("Not reached: brick=" + addresses[1] + ", reason=")
                    .contains("Files that all bricks have: 0 of 2");
            daemon(1, addresses[1]);
            assertThat(ok("volume", "heal", "vms"))
                    .isEqualToIgnoringNewLines("Files that all bricks have: 2 of 2");
        }
    }

    @Test
    void shouldGiveFoldersBackAndMakeTheSameAgainWhenADaemonWasNotThere() throws IOException {
        String first = daemon(1, "127.0.0.1:0");
        String second = daemon(2, "127.0.0.1:0");
        daemons.remove(1).close();
        String[] words = {
            "volume", "create", "vms", "replica", "3", brick(0).toString(), first, second, "force"
        };
        assertThat(run(words).err())
                .containsOnlyOnce("brick cannot be claimed")
                .contains("brick cannot be claimed: address=" + second);
        assertThat(brick(0).resolve("label")).doesNotExist();
        assertThat(brick(0).resolve(".quoin/volume-id")).doesNotExist();
        assertThat(run("volume", "info", "vms").exitCode()).isEqualTo(1);
        daemon(2, second);
        ok(words);
        assertThat(ok("volume", "info", "vms")).contains("Number of Bricks: 1 x 3 = 3");
        assertThat(run("volume", "create", "two", first, "force").err())
                .contains("brick is already claimed");
    }

    @Test
    void shouldRefuseTwoAddressesOfOneDaemon() throws IOException {
        String address = daemon(1, "127.0.0.1:0");
        String other = address.replace("127.0.0.1", "localhost");
        assertThat(run("volume", "create", "vms", "stripe", "2", address, other, "force").err())
                .contains("two addresses lead to one brick");
    }

    @Test
    void shouldRefuseAFolderThatIsNotEmpty() throws IOException {
        Files.createDirectories(brick(1));
        Files.writeString(brick(1).resolve("vm1.qcow2"), "x");
        Outcome refused =
                run(
                        Stream.concat(
                                        Stream.of("volume", "create", "vms", "replica", "2"),
                                        Stream.concat(Arrays.stream(bricks(2)), Stream.of("force")))
                                .toArray(String[]::new));
        assertThat(refused.err()).contains("folder of a new brick is not empty");
        assertThat(brick(0).resolve("label")).doesNotExist();
        assertThat(brick(1).resolve("vm1.qcow2")).hasContent("x");
    }

    private JsonNode json(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--output", "json"));
        return new ObjectMapper().readTree(ok(all.toArray(String[]::new)));
    }

    private String ok(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return outcome.out();
    }

    private Outcome run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        if (!arguments[0].equals("brick")) {
            all.addAll(List.of("--data", folder.path().toString()));
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(all.toArray(String[]::new));
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
