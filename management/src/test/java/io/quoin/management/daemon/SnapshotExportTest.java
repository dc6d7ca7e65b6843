package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Snapshots over NBD, by the programs that read them, while the disk is written. */
@Timeout(120)
class SnapshotExportTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder sockets = SocketFolder.create();
    private final DataFolder folder = new DataFolder(sockets.resolve("data"));
    private final Path image = folder.path().resolve("brick").resolve("vm1.qcow2");

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    @BeforeEach
    void makeADiskWithASnapshot() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDINFO, Peer.NBDCOPY, Peer.FIO);
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            volume.disks().create("vm1", 64 << 20, Map.of());
            volume.disks().create("vm2", 1 << 20, Map.of());
        }
        Peer.QEMU_IO.command("-c", "write -P 7 1M 20M", image.toString()).runOk();
        Peer.QEMU_IMG.command("snapshot", "-c", "monday", image.toString()).runOk();
        Peer.QEMU_IO.command("-c", "write -P 8 8M 4M", image.toString()).runOk();
    }

    private Daemon start(boolean listsSnapshots) {
        DaemonOptions plain =
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test");
        return Daemon.start(
                new DaemonOptions(
                        plain.folder(),
                        plain.volfile(),
                        plain.disks(),
                        plain.listen(),
                        plain.socket(),
                        plain.connectionsMax(),
                        plain.connectionsPerPeerMax(),
                        plain.loopCount(),
                        plain.version(),
                        plain.memoryBytes(),
                        plain.api(),
                        listsSnapshots,
                        plain.bitmapNames()));
    }

    private static String uri(Daemon daemon, String export) {
        return daemon.addresses().uris(export).get(0);
    }

    private static JsonNode exports(PeerCommand nbdinfo) throws IOException {
        return JSON.readTree(nbdinfo.runOk().stdout()).path("exports");
    }

    @Test
    void shouldListSnapshotsBehindTheDisksUnlessTheyAreHidden() throws IOException {
        try (Daemon daemon = start(true)) {
            assertThat(daemon.disks()).hasSize(2);
            JsonNode listed = exports(Peer.NBDINFO.command("--list", "--json", uri(daemon, "")));
            assertThat(listed.findValuesAsText("export-name"))
                    .containsExactly("vm1", "vm2", "vm1@monday");
            assertThat(listed.get(2).path("is_read_only").asBoolean()).isTrue();
            assertThat(listed.get(2).path("description").asText()).contains("snapshot");
        }
        try (Daemon daemon = start(false)) {
            assertThat(daemon.disks()).hasSize(2);
            JsonNode listed = exports(Peer.NBDINFO.command("--list", "--json", uri(daemon, "")));
            assertThat(listed.findValuesAsText("export-name")).containsExactly("vm1", "vm2");
            JsonNode opened =
                    exports(Peer.NBDINFO.command("--json", uri(daemon, "vm1@monday"))).get(0);
            assertThat(opened.path("export-size").asLong()).isEqualTo(64 << 20);
            assertThat(opened.path("contexts").toString()).contains("base:allocation");
        }
    }

    @Test
    void shouldReadTheSnapshotTwiceAtOnceWhileTheDiskIsWritten() throws IOException {
        Path expected = sockets.resolve("expected.raw");
        Peer.QEMU_IMG
                .command(
                        "convert",
                        "-l",
                        "monday",
                        "-O",
                        "raw",
                        image.toString(),
                        expected.toString())
                .runOk();
        try (Daemon daemon = start(true);
                PeerProcess fio = fio(uri(daemon, "vm1")).start()) {
            assertThat(daemon.disks()).hasSize(2);
            Path one = sockets.resolve("one.raw");
            Path two = sockets.resolve("two.raw");
            String then = uri(daemon, "vm1@monday");
            try (PeerProcess first = Peer.NBDCOPY.command(then, one.toString()).start();
                    PeerProcess second = Peer.NBDCOPY.command(then, two.toString()).start()) {
                first.awaitExit(LIMIT).requireSuccess();
                second.awaitExit(LIMIT).requireSuccess();
            }
            assertThat(Files.mismatch(expected, one)).isEqualTo(-1);
            assertThat(Files.mismatch(expected, two)).isEqualTo(-1);
            Peer.QEMU_IMG.command("compare", then, expected.toString()).runOk();
            assertThat(Peer.QEMU_IO.command("-f", "raw", "-c", "write 0 4k", then).run().exitCode())
                    .isNotZero();
            assertThat(fio.alive()).as(fio.stderr()).isTrue();
            fio.terminate();
            fio.awaitExit(LIMIT);
            Peer.QEMU_IMG.command("compare", then, expected.toString()).runOk();
        }
        Peer.QEMU_IMG.command("check", image.toString()).runOk();
    }

    private static PeerCommand fio(String uri) {
        return Peer.FIO.command(
                "--ioengine=nbd",
                "--uri=" + uri,
                "--bs=64k",
                "--size=64m",
                "--iodepth=4",
                "--fsync=8",
                "--time_based",
                "--runtime=60",
                "--name=writer",
                "--rw=randwrite");
    }

    @Test
    void shouldSayThatThereIsNoSuchSnapshot() {
        try (Daemon daemon = start(true)) {
            assertThat(daemon.disks()).hasSize(2);
            for (String name : List.of("vm1@tuesday", "vm1@", "vm1@a/b", "vm3@monday", "@")) {
                String uri = uri(daemon, name);
                assertThat(Peer.NBDINFO.command(uri).run().stderr())
                        .as("ERR_UNKNOWN in the words of libnbd")
                        .contains("No such file or directory for export: " + name);
                PeerResult unknown = Peer.QEMU_IMG.command("info", uri).run();
                assertThat(unknown.exitCode()).isNotZero();
                assertThat(unknown.stderr()).contains("no such export: " + name);
            }
        }
    }
}
