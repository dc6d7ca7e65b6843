package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
                        NbdServerOptions.defaults().withSocketMode(0640));
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
