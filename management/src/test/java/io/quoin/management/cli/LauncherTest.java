package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The real {@code bin/quoin} as a process, on the classes under test. */
@Timeout(300)
class LauncherTest {
    private static final Path LAUNCHER = Path.of(System.getProperty("quoin.root"), "bin", "quoin");
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final SocketFolder folder = SocketFolder.create();
    private final Path data = folder.resolve("data");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldEndCleanlyWhenTerminated() {
        try (PeerProcess server = serve()) {
            assertThat(server.stdout())
                    .contains("disk vm1, 10 MiB", "nbd+unix:///vm1", "-blockdev");
            PeerResult second = command(LAUNCHER, serveArguments()).run();
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.stderr()).contains("pid=" + server.pid());

            PeerResult status =
                    command(LAUNCHER, List.of("status", "--wait", "30", "--data", data.toString()))
                            .runOk();
            assertThat(status.stdout()).contains("pid " + server.pid());

            server.terminate();
            PeerResult ended = server.awaitExit(LIMIT);
            assertThat(ended.exitCode()).as(ended.toString()).isZero();
        }
        assertThat(data.resolve("nbd.sock")).doesNotExist();
        assertThat(data.resolve("control.sock")).doesNotExist();
        assertThat(data.resolve("brick/vm1.qcow2")).exists();
    }

    @Test
    void shouldStartAgainAfterItWasKilled() {
        try (PeerProcess server = serve()) {
            server.kill();
            server.awaitExit(LIMIT);
        }
        assertThat(data.resolve("nbd.sock")).exists();
        try (PeerProcess again = serve()) {
            again.terminate();
            assertThat(again.awaitExit(LIMIT).exitCode()).isZero();
        }
    }

    @Test
    void shouldBeFoundThroughLinksFromAnyFolder() throws IOException {
        Path absolute = Files.createSymbolicLink(folder.resolve("quoin"), LAUNCHER);
        Path relative = Files.createSymbolicLink(folder.resolve("q"), Path.of("quoin"));
        assertThat(absolute).exists();

        PeerResult version =
                command(relative, List.of("--version")).directory(folder.path()).runOk();

        assertThat(version.stdout()).startsWith("quoin ");
    }

    @Test
    void shouldPassOverAJavaHomeThatWillNotDo() throws IOException {
        Path old = folder.resolve("jdk-11");
        Files.createDirectories(old.resolve("bin"));
        Files.writeString(old.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
        Files.writeString(old.resolve("bin/java"), "#!/bin/sh\necho old\n");
        assertThat(old.resolve("bin/java").toFile().setExecutable(true)).isTrue();

        PeerResult version =
                command(LAUNCHER, List.of("--version"))
                        .environment("JAVA_HOME", old.toString())
                        .runOk();

        assertThat(version.stdout()).startsWith("quoin ");
    }

    @Test
    void shouldPassFailuresOn() {
        PeerResult wrong = command(LAUNCHER, List.of("disk", "create", "a b", "1 G x")).run();

        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.stderr()).contains("value=1 G x");
    }

    /** Code 3 would say that clusters are leaked and nothing else. */
    @Test
    void shouldSayNotCompletedWhenCheckIsOutOfMemory() throws IOException {
        Path image = folder.resolve("bitmaps.qcow2");
        int directoryBytes = 16 << 20;
        ByteBuffer header = ByteBuffer.allocate(1 << 16);
        header.putInt(0, 0x514649fb).putInt(4, 3).putInt(20, 16);
        header.putLong(48, 1 << 16).putInt(56, 1).putLong(88, 1).putInt(96, 4).putInt(100, 104);
        header.putInt(104, 0x23852875).putInt(108, 24).putInt(112, 1);
        header.putLong(120, directoryBytes).putLong(128, 1 << 20);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.write(header.array());
            file.setLength((1 << 20) + directoryBytes);
        }
        PeerResult check =
                command(LAUNCHER, List.of("image", "check", image.toString()))
                        .environment("QUOIN_JAVA_OPTS", "-Xmx16m")
                        .run();
        assertThat(check.exitCode()).as(check.toString()).isEqualTo(1);
        assertThat(check.stderr()).contains("out of memory");
    }

    private PeerProcess serve() {
        PeerProcess server = command(LAUNCHER, serveArguments()).start();
        server.awaitLine(line -> line.strip().equals("ready"), LIMIT);
        return server;
    }

    private List<String> serveArguments() {
        return List.of(
                "serve", "--data", data.toString(), "--disk", "vm1=10M", "--listen", "127.0.0.1:0");
    }

    private static PeerCommand command(Path launcher, List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(launcher.toString());
        argv.addAll(arguments);
        return PeerCommand.of(argv)
                .environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"))
                .environment("JAVA_HOME", System.getProperty("java.home"));
    }
}
