package io.quoin.testkit.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeerCommandTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void shouldReturnCodeAndBothOutputsWhenTheCommandEnds() {
        PeerResult result =
                PeerCommand.of("sh", "-c", "read line; echo out $line $X; echo err >&2; exit 3")
                        .stdin("given\n")
                        .environment("X", "set")
                        .run();

        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.stdout()).isEqualTo("out given set\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThatThrownBy(result::requireSuccess).hasMessageContaining("err");
    }

    @Test
    void shouldKillTheWholeTreeWhenTheDeadlinePasses() {
        PeerCommand command =
                PeerCommand.of("sh", "-c", "sleep 300 & echo child $!; wait")
                        .deadline(Duration.ofMillis(500));

        AssertionError error = assertThrows(AssertionError.class, command::run);

        assertThat(error).hasMessageContaining("still running after PT0.5S");
        String childPid = error.getMessage().replaceAll("(?s).*\\nchild (\\d+)\\n.*", "$1");
        assertThat(ProcessHandle.of(Long.parseLong(childPid)))
                .satisfiesAnyOf(
                        handle -> assertThat(handle).isEmpty(),
                        handle -> handle.orElseThrow().onExit().get());
    }

    @Test
    void shouldWaitForALineAndEndTheProcessWhenClosed() {
        PeerProcess process = PeerCommand.of("sh", "-c", "echo a; echo ready 7; sleep 300").start();
        try (process) {
            String line = process.awaitLine(text -> text.startsWith("ready"), LIMIT);
            assertThat(line).isEqualTo("ready 7");
            assertThat(process.alive()).isTrue();
        }
        assertThat(process.alive()).isFalse();
    }

    @Test
    void shouldFailWithTheOutputWhenTheProcessEndsBeforeItIsReady() {
        try (PeerProcess process = PeerCommand.of("sh", "-c", "echo no luck >&2").start()) {
            assertThatThrownBy(() -> process.awaitReady(() -> false, LIMIT))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("ended before it was ready");
            assertThat(process.awaitExit(LIMIT).stderr()).isEqualTo("no luck\n");
        }
    }

    @Test
    void shouldSeeASocketWhenSomebodyListensOnIt() throws Exception {
        try (SocketFolder folder = SocketFolder.create();
                ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                PeerProcess process = PeerCommand.of("sleep", "300").start()) {
            Path socket = folder.resolve("s");
            assertThatThrownBy(() -> process.awaitSocket(socket, Duration.ofMillis(50)))
                    .hasMessageContaining("not ready within");
            server.bind(UnixDomainSocketAddress.of(socket));
            assertThat(process.awaitSocket(socket, LIMIT).alive()).isTrue();
        }
    }

    @Test
    void shouldDeleteTheFolderWhenClosed() throws Exception {
        SocketFolder folder = SocketFolder.create();
        try (folder) {
            Files.writeString(folder.resolve("file"), "x");
            assertThat(folder.path().toString()).hasSizeLessThan(60);
        }
        assertThat(folder.path()).doesNotExist();
    }

    @Test
    void shouldNameEachSkippedTestAndItsReasonWhenReported() {
        String line = "A.b: fio is not installed";

        assertThat(SkippedTests.report(List.of(line, "C.d: no", line)))
                .isEqualTo("Skipped tests (3):\n  skipped 2 times " + line + "\n  skipped C.d: no");
    }

    @Test
    void shouldFindProgramsOfTheSystemFoldersWhenTheyAreInstalled() {
        assertThat(Peer.BASH.path()).isPresent();
        assertThat(Peer.BASH.command("-c", "echo hi").runOk().stdout()).isEqualTo("hi\n");
    }
}
