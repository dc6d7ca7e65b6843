package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sockets that the server listens on. */
@Timeout(60)
final class ListenTest {
    private final TestServer server = new TestServer();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private NbdServer start(SocketAddress... addresses) {
        return NbdServer.start(
                server.loops, server.catalogue, List.of(addresses), NbdServerOptions.defaults());
    }

    private static void stop(NbdServer started) throws Exception {
        started.close().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void shouldGiveSocketFileItsModeAndRemoveItWhenClosed() throws Exception {
        Path path = server.folder.resolve("second");
        NbdServer second =
                NbdServer.start(
                        server.loops,
                        server.catalogue,
                        List.of(UnixDomainSocketAddress.of(path)),
                        NbdServerOptions.defaults().withSocketAccess(0640, null));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-r-----");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(server.folder.resolve("nbd"))))
                .isEqualTo("rw-------");
        try (NbdClient client = NbdClient.open(second.boundAddresses().get(0), "disk", true)) {
            assertThat(client.read(0, 0, 10)).containsOnly(0);
        }
        stop(second);
        assertThat(Files.exists(path)).isFalse();
        assertThat(server.folder.path().toFile().list()).containsExactly("nbd");
    }

    @Test
    void shouldReplaceSocketFileWhenNobodyListens() throws Exception {
        Path path = server.folder.resolve("stale");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(Files.exists(path)).isTrue();
        NbdServer second = start(UnixDomainSocketAddress.of(path));
        try (NbdClient client = NbdClient.open(second.boundAddresses().get(0), "disk", true)) {
            assertThat(client.read(0, 0, 10)).containsOnly(0);
        }
        stop(second);
    }

    @Test
    void shouldRefuseWhenAnotherServerListensOnSocket() throws Exception {
        SocketAddress taken = server.unix();
        assertThatThrownBy(() -> start(taken))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("another server listens");
        try (NbdClient client = NbdClient.open(taken, "disk", true)) {
            assertThat(client.read(0, 0, 10)).containsOnly(0);
        }
    }

    @Test
    void shouldRefuseAndKeepFileWhenItIsNoSocket() throws Exception {
        Path path = Files.writeString(server.folder.resolve("precious"), "data");
        assertThatThrownBy(() -> start(UnixDomainSocketAddress.of(path)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("expected=a socket");
        assertThat(path).hasContent("data");
    }

    @Test
    void shouldLeaveAloneWhatLiesBesideTheSocket() throws Exception {
        Path beside = Files.writeString(server.folder.resolve("mine.new"), "precious");
        NbdServer second = start(UnixDomainSocketAddress.of(server.folder.resolve("mine")));
        stop(second);
        assertThat(beside).hasContent("precious");
        assertThat(server.folder.path().toFile().list())
                .containsExactlyInAnyOrder("nbd", "mine.new");
    }

    /** Its queue is full: that is no sign that no server is there. */
    @Test
    void shouldRefuseWhenAnotherServerIsTooBusyToAnswer() throws Exception {
        Path path = server.folder.resolve("busy");
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        List<SocketChannel> waiting = new ArrayList<>();
        try (ServerSocketChannel busy = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            busy.bind(address, 1);
            assertThatThrownBy(() -> connectOften(address, waiting))
                    .hasMessageContaining("unavailable");
            assertThatThrownBy(() -> start(address)).hasMessageContaining("another server listens");
            assertThat(path).exists();
        } finally {
            for (SocketChannel client : waiting) {
                client.close();
            }
        }
    }

    private static void connectOften(UnixDomainSocketAddress address, List<SocketChannel> waiting)
            throws IOException {
        for (int i = 0; i < 100; i++) {
            SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
            waiting.add(client);
            client.configureBlocking(false);
            client.connect(address);
        }
    }

    @Test
    void shouldListenUnderTheNameGivenWhenItIsNoUtf8() throws Exception {
        Path path = server.folder.path().resolve(NameText.path("\uDCE4"));
        NbdServer second = start(UnixDomainSocketAddress.of(path));
        assertThat(path).exists();
        stop(second);
        assertThat(server.folder.path().toFile().list()).containsExactly("nbd");
    }

    @Test
    void shouldRefuseAFolderThatIsNoUtf8() throws Exception {
        Path folder = Files.createDirectory(server.folder.path().resolve(NameText.path("\uDCE4")));
        assertThatThrownBy(() -> start(UnixDomainSocketAddress.of(folder.resolve("nbd"))))
                .hasMessageContaining("/\\xe4/nbd, expected=in a folder whose path is UTF-8");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldBindNothingWhenOneAddressIsTaken() throws Exception {
        Path path = server.folder.resolve("third");
        assertThatThrownBy(() -> start(UnixDomainSocketAddress.of(path), server.tcp()))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("address=");
        assertThat(Files.exists(path)).isFalse();
    }

    @Test
    void shouldTellPortWhenItWasPicked() {
        assertThat(((InetSocketAddress) server.tcp()).getPort()).isPositive();
    }
}
