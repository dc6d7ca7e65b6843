package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskCreate;
import io.quoin.management.operation.DiskInfo;
import io.quoin.management.operation.DiskLs;
import io.quoin.management.operation.DiskResize;
import io.quoin.management.operation.DiskRm;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Status;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskView;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DaemonTest {
    private static final long MIB = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder sockets = SocketFolder.create();
    private final DataFolder folder = new DataFolder(sockets.resolve("data"));

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    @Test
    void shouldServeTheDisksThatItMadeAndLeaveNothingButData() throws IOException {
        try (Daemon daemon = Daemon.start(options(new DiskSpec("vm1", 10 * MIB)))) {
            assertThat(daemon.disks()).extracting(DiskView::name).containsExactly("vm1");
            assertThat(daemon.addresses().socket()).isEqualTo(folder.nbdSocket().toString());
            assertThat(daemon.addresses().tcp()).isNull();
            assertThat(Files.getPosixFilePermissions(folder.nbdSocket()))
                    .isEqualTo(PosixFilePermissions.fromString("rw-rw----"));
            assertThat(Files.getPosixFilePermissions(folder.controlSocket()))
                    .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        }
        assertThat(names()).containsExactly("brick", "quoin.lock", "volume.vol");
    }

    @Test
    void shouldKeepDisksOfTheSameSizeAndRefuseOthersWhenStartedAgain() {
        Daemon.start(options(new DiskSpec("vm1", 10 * MIB))).close();
        Daemon.start(options(new DiskSpec("vm1", 10 * MIB), new DiskSpec("vm2", MIB))).close();

        assertFails(
                () -> Daemon.start(options(new DiskSpec("vm1", 20 * MIB))),
                BlockError.EEXIST,
                "name=vm1, expected=20971520, actual=10485760",
                "quoin disk resize vm1");
        Daemon.start(options()).close();
    }

    @Test
    void shouldServeADiskThatHasGrownSinceItWasAskedFor() {
        Daemon.start(options(new DiskSpec("vm1", 20 * MIB))).close();
        try (Daemon daemon = Daemon.start(options(new DiskSpec("vm1", 10 * MIB)))) {
            assertThat(daemon.disks()).extracting(DiskView::sizeBytes).containsExactly(20 * MIB);
        }
    }

    @Test
    void shouldNameTheProcessWhenTheFolderIsServedAlready() {
        try (Daemon daemon = Daemon.start(options())) {
            assertThat(daemon.disks()).isEmpty();
            assertFails(
                    () -> Daemon.start(options()),
                    BlockError.EBUSY,
                    "pid=" + ProcessHandle.current().pid());
            assertThat(call(DiskLs.TYPE, new DiskLs.Request()).disks()).isEmpty();
        }
    }

    @Test
    void shouldReplaceSocketsThatAKilledServerLeft() throws IOException {
        Files.createDirectories(folder.path());
        for (Path socket : List.of(folder.nbdSocket(), folder.controlSocket())) {
            ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                    .bind(UnixDomainSocketAddress.of(socket))
                    .close();
            assertThat(socket).exists();
        }
        assertThat(ControlClient.connect(folder)).isEmpty();

        try (Daemon daemon = Daemon.start(options())) {
            assertThat(daemon.addresses().socket()).isNotNull();
            assertThat(call(Status.TYPE, new Status.Request()).pid())
                    .isEqualTo(ProcessHandle.current().pid());
        }
    }

    @Test
    void shouldNotReplaceWhatIsNoSocket() throws IOException {
        Files.createDirectories(folder.path());
        Files.writeString(folder.controlSocket(), "precious");

        assertFails(() -> Daemon.start(options()), BlockError.EEXIST, "control.sock");

        assertThat(folder.controlSocket()).hasContent("precious");
        assertThat(folder.nbdSocket()).doesNotExist();
    }

    @Test
    void shouldNameThePortAndTheWayOutWhenItIsTaken() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ListenAddress address = new ListenAddress("127.0.0.1", taken.getLocalPort());
            assertFails(
                    () -> Daemon.start(options(address, folder.nbdSocket())),
                    BlockError.EBUSY,
                    "port " + taken.getLocalPort(),
                    "--listen");
        }
        Daemon.start(options()).close();
    }

    @Test
    void shouldPickAPortWhenItIsZero() {
        ListenAddress any = new ListenAddress("127.0.0.1", 0);
        try (Daemon daemon = Daemon.start(options(any, folder.nbdSocket()))) {
            ListenAddress picked = ListenAddress.parse(String.valueOf(daemon.addresses().tcp()));
            assertThat(picked.port()).isPositive();
        }
    }

    @Test
    void shouldSayWhatToDoWhenTheSocketPathIsTooLong() {
        Path socket = sockets.resolve("x".repeat(120));
        assertFails(() -> Daemon.start(options(null, socket)), BlockError.EINVAL, "--socket");
        assertThat(folder.path()).doesNotExist();
    }

    @Test
    void shouldBeReachedWhenTheDataFolderIsTooDeepForASocket() {
        DataFolder deep = new DataFolder(sockets.resolve("d".repeat(100)).resolve("data"));
        DaemonOptions options =
                new DaemonOptions(
                        deep, null, List.of(), null, sockets.resolve("nbd.sock"), 0600, 1, "test");
        try (Daemon daemon = Daemon.start(options);
                ControlClient client = ControlClient.connect(deep).orElseThrow()) {
            assertThat(daemon.disks()).isEmpty();
            assertThat(client.call(DiskLs.TYPE, new DiskLs.Request()).disks()).isEmpty();
        }
        assertThat(deep.controlSocket()).doesNotExist();
    }

    @Test
    void shouldTakeDisksThroughTheirLifeByCommands() {
        try (Daemon daemon = Daemon.start(options())) {
            DiskView created = call(DiskCreate.TYPE, new DiskCreate.Request("vm1", 10 * MIB, null));
            assertThat(created.sizeBytes()).isEqualTo(10 * MIB);
            assertThat(created.details().get("format")).isEqualTo("qcow2");

            DiskView resized = call(DiskResize.TYPE, new DiskResize.Request("vm1", 20 * MIB));
            assertThat(resized.sizeBytes()).isEqualTo(20 * MIB);
            assertFails(
                    () -> call(DiskResize.TYPE, new DiskResize.Request("vm1", MIB)),
                    BlockError.ENOTSUP,
                    "cannot shrink");
            assertFails(
                    () -> call(DiskInfo.TYPE, new DiskInfo.Request("vm2")),
                    BlockError.ENOENT,
                    "did you mean vm1?");

            assertThat(call(DiskRm.TYPE, new DiskRm.Request("vm1", null, null)).removed()).isTrue();
            assertThat(daemon.disks()).isEmpty();
        }
    }

    @Test
    void shouldCountWhatClientsDo() {
        Peer.QEMU_IO.assumeAvailable();
        try (Daemon daemon = Daemon.start(options(new DiskSpec("vm1", 10 * MIB)))) {
            String uri = daemon.addresses().uris("vm1").get(0);
            PeerCommand.of("qemu-io", "-f", "raw", "-c", "write -P 7 64k 128k", uri).runOk();
            PeerCommand.of("qemu-io", "-f", "raw", "-c", "read -P 7 64k 128k", uri).runOk();

            JsonNode status = JSON.valueToTree(call(Status.TYPE, new Status.Request()));
            assertThat(status.path("bricks").path(0).path("directory").asText())
                    .isEqualTo(folder.path().resolve("brick").toString());
            JsonNode space = status.path("space");
            assertThat(space.path("sizeBytes").asLong())
                    .isEqualTo(status.path("bricks").path(0).path("sizeBytes").asLong())
                    .isGreaterThan(space.path("availableBytes").asLong());
            JsonNode statistics = status.path("statistics");
            assertThat(statistics.path("type").asText()).isEqualTo("debug/io-stats");
            JsonNode write = statistics.path("values").path("total").path("write");
            assertThat(write.path("bytes").asLong()).isEqualTo(128 << 10);
            assertThat(write.path("latency").path("p99-us").isNumber()).isTrue();
        }
    }

    private DaemonOptions options(DiskSpec... disks) {
        return new DaemonOptions(
                folder, null, List.of(disks), null, folder.nbdSocket(), 0660, 2, "test");
    }

    private DaemonOptions options(
            @org.jspecify.annotations.Nullable ListenAddress listen, Path socket) {
        return new DaemonOptions(folder, null, List.of(), listen, socket, 0660, 2, "test");
    }

    private <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        try (ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            return client.call(type, request);
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder.path())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class,
                        failure -> {
                            assertThat(failure.error()).isEqualTo(error);
                            assertThat(failure.getMessage()).contains(words);
                        });
    }
}
