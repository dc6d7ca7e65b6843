package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exit codes of comparing, with qemu-img beside it. */
@Timeout(60)
class CompareCommandTest {
    @ParameterizedTest
    @CsvSource({"extents, 3, block status failed", "pread, 4, read failed"})
    void shouldEndAsQemuImgDoesWhenTheServerFails(String fails, int exitCode, String message)
            throws IOException {
        Peer.assumeAll(Peer.NBDKIT, Peer.QEMU_IMG);
        try (SocketFolder folder = SocketFolder.create()) {
            String local = Files.write(folder.resolve("a.raw"), new byte[] {1, 2}).toString();
            Path socket = folder.resolve("s");
            String uri = "nbd+unix:///?socket=" + socket;
            try (PeerProcess server =
                    Peer.NBDKIT
                            .command(
                                    "-f",
                                    "-U",
                                    socket.toString(),
                                    "--filter=error",
                                    "file",
                                    local,
                                    "error-" + fails + "=EIO",
                                    "error-" + fails + "-rate=1")
                            .start()) {
                server.awaitSocket(socket, Duration.ofSeconds(20));
                requireFailure(exitCode, message, local, uri);
                requireFailure(exitCode, message, uri, local);
                PeerResult theirs =
                        Peer.QEMU_IMG
                                .command("compare", "-f", "raw", "-F", "raw", local, uri)
                                .run();
                assertThat(theirs.exitCode()).as(theirs.stderr()).isEqualTo(exitCode);
            }
        }
    }

    private static void requireFailure(int exitCode, String message, String one, String other) {
        Outcome outcome = ImageProgram.run(List.of("compare", one, other));
        assertThat(outcome.exitCode()).isEqualTo(exitCode);
        assertThat(outcome.err()).contains(message);
    }
}
