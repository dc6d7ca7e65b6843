package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What {@code quoin disk qemu-args} prints, given to QEMU as it is. */
@Tag("e2e")
@Timeout(120)
class AttachedGuestTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final SocketFolder folder = SocketFolder.create();
    private final Path data = folder.resolve("data");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldWriteWithoutAnErrorWhenTheServiceIsKilledAndStartedAgain() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM, Peer.BASH);
        try (PeerProcess first = serve();
                PeerProcess qemu = boot();
                QemuMonitor monitor = QemuMonitor.connect(folder.resolve("qmp"), qemu)) {
            assertThat(monitor.command(io("write -P 7 0 64k"))).doesNotContain("rror");
            qemu.awaitLine("wrote 65536/65536 bytes at offset 0"::equals, LIMIT);
            monitor.command(io("flush")); // what is not flushed may be lost with the service
            first.kill();
            monitor.send(io("write -P 8 64k 64k"));
            try (PeerProcess second = serve()) {
                assertThat(monitor.answer()).doesNotContain("rror");
                qemu.awaitLine("wrote 65536/65536 bytes at offset 65536"::equals, LIMIT);
                monitor.command(io("read -P 7 0 64k"));
                qemu.awaitLine("read 65536/65536 bytes at offset 0"::equals, LIMIT);
                monitor.command(io("read -P 8 64k 64k"));
                qemu.awaitLine("read 65536/65536 bytes at offset 65536"::equals, LIMIT);
                assertThat(qemu.stdout()).doesNotContain("failed", "rror");
                assertThat(monitor.command("{\"execute\":\"query-block\"}"))
                        .doesNotContain("\"io-status\":\"failed\"", "\"io-status\":\"nospace\"");
                second.terminate();
            }
        }
    }

    private PeerProcess serve() {
        PeerProcess server =
                QuoinProgram.command(
                                List.of(
                                        "serve",
                                        "--data",
                                        data.toString(),
                                        "--disk",
                                        "vm1=10M",
                                        "--listen",
                                        "none"))
                        .start();
        server.awaitLine(line -> line.equals("ready"), LIMIT);
        return server;
    }

    /** A machine that does not run, with the disk attached as a person would: by the shell. */
    private PeerProcess boot() {
        String arguments =
                QuoinProgram.command(List.of("disk", "qemu-args", "vm1", "--data", data.toString()))
                        .runOk()
                        .stdout();
        String machine =
                " -S -nodefaults -no-user-config -display none -accel tcg -m 64 -qmp unix:"
                        + folder.resolve("qmp")
                        + ",server=on,wait=off ";
        return Peer.BASH
                .command(
                        "-c",
                        "exec "
                                + Peer.QEMU_SYSTEM.path().orElseThrow()
                                + machine
                                + arguments.strip())
                .start();
    }

    private static String io(String command) {
        return "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"qemu-io -d"
                + " /machine/peripheral/vm1/virtio-backend \\\""
                + command
                + "\\\"\"}}";
    }
}
