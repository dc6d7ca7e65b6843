package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A service that runs out of descriptors, and gets them back. */
@Timeout(180)
class ScarceTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TempDir private Path folder;

    private static PeerProcess serve(Path data, Path socket) {
        List<String> argv = new ArrayList<>();
        argv.addAll(List.of("sh", "-c", "ulimit -n 160; exec \"$@\"", "sh"));
        argv.add(QuoinProgram.LAUNCHER.toString());
        argv.addAll(List.of("serve", "--data", data.toString(), "--disk", "vm1=1M"));
        argv.addAll(List.of("--listen", "none", "--socket", socket.toString()));
        return QuoinProgram.environment(PeerCommand.of(argv)).start();
    }

    private static String status(Path data) {
        return QuoinProgram.run("status", "--data", data.toString(), "--wait", "30").toString();
    }

    @Test
    void shouldServeAgainOnEverySocketWhenDescriptorsAreThereAgain() throws IOException {
        try (SocketFolder sockets = SocketFolder.create()) {
            Path data = folder.resolve("data");
            Path nbd = sockets.resolve("nbd.sock");
            try (PeerProcess server = serve(data, nbd)) {
                server.awaitLine(line -> line.strip().equals("ready"), LIMIT);
                List<SocketChannel> clients = new ArrayList<>();
                for (int i = 0; i < 150; i++) {
                    clients.add(SocketChannel.open(UnixDomainSocketAddress.of(nbd)));
                }
                try (SocketChannel control =
                        SocketChannel.open(
                                UnixDomainSocketAddress.of(data.resolve("control.sock")))) {
                    assertThat(control.isConnected()).isTrue();
                }
                server.awaitReady(() -> server.stderr().contains("be accepted"), LIMIT);
                for (SocketChannel client : clients) {
                    client.close();
                }
                assertThat(status(data)).contains("vm1");
                String uri = NbdUri.unix(nbd, "vm1").toString();
                assertThat(QuoinProgram.run("image", "info", uri).toString()).contains("1");
                server.terminate();
                assertThat(server.awaitExit(LIMIT).exitCode()).isZero();
            }
        }
    }
}
