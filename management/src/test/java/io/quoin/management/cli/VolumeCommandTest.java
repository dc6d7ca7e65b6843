package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.volume.DataFolder;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/**
 * Several volumes of one data folder: by the command line, over NBD, with a service and without.
 */
@Timeout(120)
class VolumeCommandTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder folders = SocketFolder.create();
    private final DataFolder folder = new DataFolder(folders.resolve("data"));

    /** What a command printed and returned. */
    private record Outcome(int exitCode, String out, String err) {}

    @AfterEach
    void removeTheFolder() {
        folders.close();
    }

    private Daemon serve() {
        return Daemon.start(
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test"));
    }

    private String brick(String name) {
        return folders.resolve(name).toString();
    }

    private void make(String name) {
        ok("volume", "create", name, brick(name), "force");
        ok("volume", "start", name);
    }

    @Test
    void shouldServeDisksOfSeveralVolumesAndFindThemAfterARestart() {
        Peer.assumeAll(Peer.QEMU_IO, Peer.NBDINFO);
        ok("disk", "create", "vm1", "10M");
        try (Daemon daemon = serve()) {
            make("one");
            make("two");
            ok("disk", "create", "one/vm1", "20M");
            ok("disk", "create", "vm1", "30M", "--volume", "two");
            assertThat(Path.of(brick("one")).resolve("vm1.qcow2")).exists();
            assertThat(Path.of(brick("two")).resolve("vm1.qcow2")).exists();
            assertThat(size(daemon, "vm1")).isEqualTo(10 << 20);
            assertThat(size(daemon, "default/vm1")).isEqualTo(10 << 20);
            assertThat(size(daemon, "one/vm1")).isEqualTo(20 << 20);
            String uri = ok("disk", "uri", "vm1", "--volume", "two").strip();
            assertThat(uri).contains("two%2Fvm1");
            Peer.QEMU_IO.command("-f", "raw", "-c", "write -P 7 1M 1M", uri).runOk();
            ok("snapshot", "create", "two/vm1@monday");
            assertThat(ok("snapshot", "info", "two/vm1@monday")).contains("vm1@monday");
            assertThat(ok("disk", "check", "two/vm1")).isNotEmpty();
            assertThat(ok("job", "show", "two/1")).contains("id: two/1\n", "snapshot.create");
        }
        try (Daemon daemon = serve()) {
            PeerResult listed =
                    Peer.NBDINFO
                            .command("--list", "nbd+unix:///?socket=" + folder.nbdSocket())
                            .runOk();
            assertThat(listed.stdout())
                    .contains("export=\"vm1\"", "export=\"one/vm1\"", "export=\"two/vm1@monday\"");
            String uri = daemon.addresses().uris("two/vm1").get(0);
            Peer.QEMU_IO.command("-f", "raw", "-c", "read -P 7 1M 1M", uri).runOk();
            assertThat(ok("status")).contains("one ", "two/vm1", "one/brick-0");
            assertThat(run("status", "--volume", "one").out()).doesNotContain("two/vm1");
            assertThat(ok("disk", "ls", "--volume", "one")).contains("20 MiB");
        }
    }

    private static long size(Daemon daemon, String export) {
        String uri = daemon.addresses().uris(export).get(0);
        return Long.parseLong(Peer.NBDINFO.command("--size", uri).runOk().stdout().strip());
    }

    @Test
    @LogsErrors("brick is not there")
    void shouldServeAHealthyVolumeBesideOneWhoseBrickIsMissing() throws IOException {
        make("well");
        make("gone");
        ok("disk", "create", "well/vm1", "1M");
        ok("disk", "create", "gone/vm1", "1M");
        Path away = folders.resolve("away");
        Files.move(Path.of(brick("gone")), away);
        try (Daemon daemon = serve()) {
            assertThat(daemon.disks()).extracting("name").containsExactly("well/vm1");
            assertThat(ok("status")).contains("brick is not there: path=" + brick("gone"));
            assertThat(Path.of(brick("gone"))).as("not made anew").doesNotExist();
            Outcome refused = run("disk", "ls", "--volume", "gone");
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.err()).contains("is its file system mounted?");
            JsonNode info = JSON.readTree(ok("volume", "info", "gone", "--output", "json"));
            assertThat(info.path("failure").asText()).contains(brick("gone"));
            Files.move(away, Path.of(brick("gone")));
            ok("volume", "start", "gone");
            assertThat(ok("disk", "ls", "--volume", "gone")).contains("vm1");
        }
    }

    @Test
    void shouldKeepAVolumeWithClientsFromBeingStopped() {
        Peer.assumeAll(Peer.QEMU_IO);
        make("vms");
        ok("disk", "create", "vms/vm1", "1M");
        try (Daemon daemon = serve()) {
            assertThat(daemon.disks()).hasSize(1);
            try (PeerProcess client =
                    Peer.QEMU_IO
                            .command("-f", "raw", daemon.addresses().uris("vms/vm1").get(0))
                            .start()) {
                client.awaitReady(() -> daemon.disks().get(0).connections() > 0, LIMIT);
                Outcome refused = run("volume", "stop", "vms");
                assertThat(refused.exitCode()).isEqualTo(1);
                assertThat(refused.err()).contains("attached disks=[vm1]", "--force");
                assertThat(run("volume", "delete", "vms").err()).contains("stop it first");
                ok("volume", "stop", "vms", "--force");
                assertThat(daemon.disks()).isEmpty();
            }
            assertThat(run("disk", "ls", "--volume", "vms").err())
                    .contains("volume is not started");
            assertThat(ok("volume", "info", "vms"))
                    .contains("Status: Stopped", "Number of Bricks: 1 x 1 = 1", "Brick1: ");
            assertThat(ok("volume", "delete", "vms")).contains("bricks keep what they have");
            assertThat(Path.of(brick("vms")).resolve("vm1.qcow2")).exists();
        }
    }

    @Test
    void shouldWorkWithoutAService() {
        assertThat(run("volume", "ls").err()).contains("no volume in the data folder");
        make("vms");
        ok("disk", "create", "vm1", "1M");
        assertThat(Path.of(brick("vms")).resolve("vm1.qcow2"))
                .as("the only volume is meant where none is named")
                .exists();
        assertThat(folder.volfile()).doesNotExist();
        make("two");
        assertThat(run("disk", "ls").err()).contains("VOLUME/NAME", "two, vms");
        assertThat(run("disk", "clone", "vms/vm1", "two/vm2").err()).contains("several volumes");
        ok("disk", "clone", "vms/vm1", "vm2");
        assertThat(ok("disk", "ls", "--volume", "vms")).contains("vm2");
        assertThat(run("disk", "ls", "--volume", "vmz").err()).contains("did you mean vms?");
        ok("volume", "stop", "two");
        assertThat(ok("disk", "ls")).contains("vm1");
        assertThat(ok("volume", "ls")).contains("two", "Stopped", "vms", "Started");
        assertThat(run("volume", "start", "vms").exitCode()).isZero();
    }

    @Test
    void shouldRefuseWrongWordsAndDaemonsThatAreNotThere() {
        assertThat(run("volume", "create", "vms", "replica", brick("a")).exitCode()).isEqualTo(2);
        assertThat(run("volume", "create", "vms", "replica", "3", brick("a"), "force").err())
                .contains("replica 3 x stripe 1 = 3, actual=1");
        assertThat(run("volume", "create", "far", "127.0.0.1:9").err())
                .contains("brick cannot be claimed: address=127.0.0.1:9, reason=");
        assertThat(run("volume", "ls").err()).contains("no volume in the data folder");
    }

    private String ok(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return outcome.out();
    }

    private Outcome run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--data", folder.path().toString()));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(all.toArray(String[]::new));
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
