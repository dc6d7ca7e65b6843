package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands that a signal ends while they make an image: nothing of it stays. */
@Timeout(180)
class SignalTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** Takes seconds to be written. */
    private static final String LARGE = "6G";

    private final SocketFolder folder = SocketFolder.create();

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @ParameterizedTest
    @CsvSource({
        "x.raw, preallocation=full",
        "x.qcow2, 'preallocation=full'",
        "x.qcow2, 'preallocation=full,data_file=x.data'"
    })
    void shouldLeaveNothingWhenCreateIsEnded(String name, String options) throws IOException {
        String image = folder.resolve(name).toString();
        endInTheMiddle("image", "create", "-o", options, image, LARGE);
        assertThat(names()).isEmpty();
    }

    @Test
    void shouldLeaveNothingWhenConvertIsEnded() throws IOException {
        Peer.NBDKIT.assumeAvailable();
        Path socket = folder.resolve("s");
        try (PeerProcess server =
                Peer.NBDKIT
                        .command(
                                "-f",
                                "-U",
                                socket.toString(),
                                "--filter=delay",
                                "pattern",
                                "1G",
                                "rdelay=1")
                        .start()
                        .awaitSocket(socket, LIMIT)) {
            assertThat(server.alive()).isTrue();
            Files.writeString(folder.resolve("x.qcow2"), "old");
            endInTheMiddle(
                    "image",
                    "convert",
                    "-o",
                    "data_file=x.data",
                    "nbd+unix:///?socket=" + socket,
                    folder.resolve("x.qcow2").toString());
            assertThat(names()).containsExactlyInAnyOrder("s", "x.qcow2");
            assertThat(folder.resolve("x.qcow2")).hasContent("old");
        }
    }

    private void endInTheMiddle(String... arguments) {
        try (PeerProcess command = QuoinProgram.command(List.of(arguments)).start()) {
            command.awaitReady(
                    () -> names().stream().anyMatch(name -> name.startsWith(".quoin-new-")), LIMIT);
            command.terminate();
            assertThat(command.awaitExit(LIMIT).exitCode()).isEqualTo(128 + 15);
        }
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder.path())) {
            files.forEach(file -> names.add(String.valueOf(file.getFileName())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return names;
    }
}
