package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.management.brick.BrickOptions;
import io.quoin.management.daemon.Daemon;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bricks that are replaced while their volume is served, and what is refused. */
@Timeout(180)
class ReplaceBrickTest {
    private final QuoinCommands quoin = new QuoinCommands();
    private final List<BrickDaemon> daemons = new ArrayList<>();

    @BeforeEach
    void needTheClient() {
        Peer.assumeAll(Peer.QEMU_IO);
    }

    @AfterEach
    void removeTheFolder() {
        daemons.forEach(BrickDaemon::close);
        quoin.close();
    }

    private Path brick(int number) {
        return quoin.path("b" + number);
    }

    private void create(String... words) {
        List<Object> all = new ArrayList<>(List.of("volume", "create", "vms"));
        all.addAll(List.of(words));
        all.addAll(List.of(brick(0), brick(1), brick(2), "force"));
        quoin.ok(all.toArray());
        quoin.ok("volume", "start", "vms");
    }

    private String daemon(int number) throws IOException {
        Files.createDirectories(brick(number));
        BrickDaemon daemon =
                BrickDaemon.start(
                        new BrickOptions(
                                brick(number),
                                BrickAddress.parse("127.0.0.1:0"),
                                WireOptions.local(),
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(30)));
        daemons.add(daemon);
        return daemon.address().toString();
    }

    private static void io(Daemon daemon, String command) {
        Peer.QEMU_IO.command("-f", "raw", "-c", command, uri(daemon)).runOk();
    }

    private static String uri(Daemon daemon) {
        return daemon.addresses().uris("vms/vm1").get(0);
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(".data"))
                    .sorted()
                    .toList();
        }
    }

    private String replace(Object old, Object by) {
        return quoin.ok("volume", "replace-brick", "vms", old, by, "commit", "force");
    }

    @Test
    void shouldReplaceABrickUnderAGuestThatWrites() throws IOException {
        create("replica", "3");
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "40M");
            io(daemon, "write -P 7 0 20M");
            List<String> old = files(brick(1));
            List<String> writes = new ArrayList<>(List.of("-f", "raw"));
            for (int i = 0; i < 400; i++) {
                writes.addAll(List.of("-c", "write -P 8 " + (20 << 10) + "k 64k"));
                writes.addAll(
                        List.of("-c", "write -P 9 " + ((21 << 10) + 64 * (i % 100)) + "k 64k"));
            }
            writes.add(uri(daemon));
            try (PeerProcess guest = Peer.QEMU_IO.command(writes.toArray(String[]::new)).start()) {
                assertThat(replace(brick(1), brick(7)))
                        .contains("Replaced " + brick(1) + " by " + brick(7))
                        .contains("files that all bricks have: 2 of 2");
                guest.awaitExit(Duration.ofMinutes(2)).requireSuccess();
            }
            assertThat(files(brick(1))).as("nothing is deleted").isEqualTo(old);
            assertThat(files(brick(7))).isEqualTo(old);
            JsonNode status = quoin.json("volume", "status", "vms").path("bricks").path(1);
            assertThat(status.path("address").asText()).isEqualTo(brick(7).toString());
            assertThat(status.path("isOnline").asBoolean()).isTrue();
            assertThat(quoin.ok("volume", "info", "vms")).contains("Brick2: " + brick(7));
        }
        Files.move(brick(1), quoin.path("old"));
        Files.move(brick(0), quoin.path("lost"));
        try (Daemon daemon = quoin.serve()) {
            io(daemon, "read -P 7 0 20M");
            io(daemon, "read -P 8 20M 64k");
            io(daemon, "read -P 9 21M 6400k");
            io(daemon, "write -P 5 0 1M");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"replica 3", "replica 3 arbiter 1"})
    void shouldTakeAWipedBrickInItsOwnPlace(String layout) throws IOException {
        create(layout.split(" "));
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
        }
        for (int number : new int[] {2, 1}) {
            Files.move(brick(number), quoin.path("wiped" + number));
            Files.createDirectory(brick(number));
            Path foreign = Files.writeString(brick(number).resolve("foreign"), "x");
            try (Daemon daemon = quoin.serve()) {
                io(daemon, "write -P " + number + " 2M 1M");
                assertThat(
                                quoin.fails(
                                        "volume",
                                        "replace-brick",
                                        "vms",
                                        brick(number),
                                        brick(number)))
                        .contains("folder of a new brick is not empty: file=foreign");
                io(daemon, "read -P " + number + " 2M 1M");
                Files.delete(foreign);
                assertThat(replace(brick(number), brick(number)))
                        .contains("files that all bricks have: 2 of 2");
                io(daemon, "read -P 7 1M 1M");
            }
        }
        Files.move(brick(0), quoin.path("lost"));
        try (Daemon daemon = quoin.serve()) {
            io(daemon, "read -P 7 1M 1M");
            io(daemon, "read -P 1 2M 1M");
            io(daemon, "write -P 7 3M 1M");
        }
    }

    private void writeOnce(String command) {
        try (Daemon daemon = quoin.serve()) {
            io(daemon, command);
        }
    }

    @Test
    @LogsErrors("Brick refused")
    void shouldRefuseABrickThatWasPutBackInTimeUntilItIsReplaced() throws IOException {
        create("replica", "3");
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
        }
        Path copy = quoin.path("copy");
        PeerCommand.of("cp", "-a", brick(1).toString(), copy.toString()).runOk();
        writeOnce("write -P 8 1M 1M");
        Files.move(brick(1), quoin.path("newer"));
        Files.move(copy, brick(1));
        try (Daemon daemon = quoin.serve()) {
            io(daemon, "read -P 8 1M 1M");
            JsonNode status = quoin.json("volume", "status", "vms").path("bricks").path(1);
            assertThat(status.path("isOnline").asBoolean()).isFalse();
            assertThat(status.path("reason").asText())
                    .contains("has been rolled back", "quoin volume replace-brick");
            Files.move(brick(1), quoin.path("older"));
            Files.createDirectory(brick(1));
            assertThat(replace(brick(1), brick(1))).contains("files that all bricks have: 2 of 2");
        }
        Files.move(brick(0), quoin.path("lost"));
        writeOnce("read -P 8 1M 1M");
    }

    @Test
    void shouldReplaceAFolderByADaemonAndThatByAFolder() throws IOException {
        create("replica", "3");
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
            String remote = daemon(8);
            replace(brick(0), remote);
            io(daemon, "write -P 8 2M 1M");
            assertThat(quoin.fails("volume", "replace-brick", "vms", remote, remote))
                    .contains("brick was used before: brick=" + remote);
            io(daemon, "read -P 8 2M 1M");
            replace(remote, brick(9));
            assertThat(quoin.fails("volume", "replace-brick", "vms", brick(9), remote, "force"))
                    .contains("brick was used before");
        }
        Files.move(brick(1), quoin.path("lost"));
        try (Daemon daemon = quoin.serve()) {
            io(daemon, "read -P 7 1M 1M");
            io(daemon, "read -P 8 2M 1M");
        }
    }

    /** A daemon that takes connections and says nothing has some seconds. */
    @Test
    void shouldInterruptAReplacementWhenTheVolumeIsStoppedByForce() throws IOException {
        create("replica", "3");
        try (Daemon daemon = quoin.serve();
                ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
            String by = "127.0.0.1:" + silent.getLocalPort();
            String job =
                    quoin.ok("volume", "replace-brick", "vms", brick(1), by, "force", "--no-wait");
            try (Socket claim = silent.accept()) {
                assertThat(claim.isConnected()).isTrue();
                quoin.ok("volume", "stop", "vms", "--force");
            }
            quoin.ok("volume", "start", "vms");
            assertThat(quoin.json("job", "show", job.strip()).path("state").asText())
                    .isEqualTo("interrupted");
            assertThat(quoin.ok("volume", "info", "vms")).contains("Brick2: " + brick(1));
            io(daemon, "read -P 7 1M 1M");
        }
    }

    @Test
    void shouldFinishAReplacementThatWasCutShort() throws IOException {
        create("replica", "3");
        Path definition = quoin.folder().volumes().resolve("vms/volume.json");
        String before = Files.readString(definition);
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            io(daemon, "write -P 7 1M 1M");
            String volume = quoin.json("volume", "info", "vms").path("id").asText();
            BrickDaemon.format(brick(7), UUID.fromString(volume), 1, Layout.THREE);
            Files.writeString(brick(7).resolve(".quoin/volume-id"), volume + "\n");
            replace(brick(1), brick(7));
        }
        Files.writeString(definition, before);
        try (Daemon daemon = quoin.serve()) {
            assertThat(quoin.ok("volume", "info", "vms")).contains("Brick2: " + brick(1));
            replace(brick(1), brick(7));
            assertThat(quoin.ok("volume", "info", "vms")).contains("Brick2: " + brick(7));
            io(daemon, "read -P 7 1M 1M");
        }
    }

    @Test
    void shouldRefuseWhatWouldLoseDataOrIsNotThere() throws IOException {
        create("replica", "3");
        assertThat(quoin.fails("volume", "replace-brick", "vms", "/nowhere", brick(7)))
                .contains("brick of vms", "/nowhere");
        assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(1), "force"))
                .contains("bricks lie in one another");
        assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(7)))
                .contains("two copies are on one disk", "force");
        assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(0)))
                .contains("brick is there: path=" + brick(0));
        assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(7), "start"))
                .contains("illegal word: value=start");
        Files.createDirectory(brick(7));
        Files.writeString(brick(7).resolve("vm1.qcow2"), "x");
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", "20M");
            assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(7), "force"))
                    .contains("folder of a new brick is not empty");
            io(daemon, "write -P 7 1M 1M");
        }
        assertThat(brick(7).resolve("vm1.qcow2")).hasContent("x");
        Files.move(brick(2), quoin.path("away"));
        try (Daemon daemon = quoin.serve()) {
            assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(8), "force"))
                    .contains("another brick is not in sync: brick=" + brick(2));
            io(daemon, "read -P 7 1M 1M");
        }
        quoin.ok("volume", "stop", "vms");
        assertThat(quoin.fails("volume", "replace-brick", "vms", brick(0), brick(8), "force"))
                .contains("volume is not started");
        quoin.ok("volume", "create", "two", "replica", "2", brick(4), brick(5), "force");
        quoin.ok("volume", "start", "two");
        assertThat(quoin.fails("volume", "replace-brick", "two", brick(4), brick(8), "force"))
                .contains("the first of two bricks has the deciding vote");
    }
}
