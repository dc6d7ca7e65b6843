package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code quoin disk resize --qmp} with a running QEMU. */
@Tag("e2e")
@Timeout(120)
class ResizedGuestTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long MIB = 1 << 20;

    private final SocketFolder folder = SocketFolder.create();
    private final Path data = folder.resolve("data");
    private final Path monitor = folder.resolve("qmp");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    /** How long QEMU tries to connect again makes no difference: the guest asks for nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"", ",reconnect-delay=300"})
    void shouldHaveARunningGuestSeeTheNewSize(String reconnect) throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM);
        try (PeerProcess server = serve();
                PeerProcess qemu = boot(nbd(reconnect, "vm1"), "vm1")) {
            qemu.awaitSocket(monitor, LIMIT);
            quoin("disk", "resize", "vm1", "20M").runOk();
            try (QemuMonitor alone = QemuMonitor.connect(monitor, qemu)) {
                String resize =
                        "{\"execute\":\"block_resize\",\"arguments\":{\"node-name\":\"vm1\",\"size\":%d}}";
                assertThat(alone.command(resize.formatted(20 * MIB)))
                        .as("why it has to connect again")
                        .contains("Cannot grow NBD nodes");
            }
            String said = quoin("disk", "resize", "vm1", "20M", "--qmp", monitor).runOk().stdout();
            assertThat(said).contains("Resized vm1, 20 MiB, in QEMU too: node=vm1");

            try (QemuMonitor look = QemuMonitor.connect(monitor, qemu)) {
                assertThat(look.command("{\"execute\":\"query-block\"}"))
                        .contains("\"virtual-size\": " + 20 * MIB);
                assertThat(look.command("{\"execute\":\"query-status\"}"))
                        .contains("\"running\": true");
                look.command(io("write -P 9 19M 64k"));
                qemu.awaitLine(
                        line -> line.equals("wrote 65536/65536 bytes at offset " + 19 * MIB),
                        LIMIT);
            }
            assertThat(qemu.stderr()).doesNotContain("rror");
            server.terminate();
        }
    }

    /** As libvirt attaches disks. */
    @Test
    void shouldResizeTheNodeOnTopToo() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM);
        try (PeerProcess server = serve();
                PeerProcess qemu =
                        boot(
                                nbd(",reconnect-delay=300", "below"),
                                "top",
                                "-blockdev",
                                "driver=raw,node-name=top,file=below")) {
            qemu.awaitSocket(monitor, LIMIT);
            quoin("disk", "resize", "vm1", "20M", "--qmp", monitor).runOk();
            try (QemuMonitor look = QemuMonitor.connect(monitor, qemu)) {
                assertThat(look.command("{\"execute\":\"query-block\"}"))
                        .contains("\"virtual-size\": " + 20 * MIB);
            }
            server.terminate();
        }
    }

    @Test
    void shouldChangeNothingWhenQemuDoesNotHaveTheDisk() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM);
        try (PeerProcess server = serve();
                PeerProcess qemu = boot(nbd("", "vm2"), "vm2")) {
            qemu.awaitSocket(monitor, LIMIT);
            PeerResult other = quoin("disk", "resize", "vm1", "20M", "--qmp", monitor).run();
            assertThat(other.exitCode()).isEqualTo(1);
            assertThat(other.stderr())
                    .startsWith("quoin: QEMU does not have the disk: name=vm1, monitor=" + monitor);

            PeerResult none =
                    quoin("disk", "resize", "vm1", "20M", "--qmp", folder.resolve("none")).run();
            assertThat(none.exitCode()).isEqualTo(1);
            assertThat(none.stderr()).startsWith("quoin: cannot use the monitor: socket=");

            try (QemuMonitor holder = QemuMonitor.connect(monitor, qemu)) {
                PeerResult taken = quoin("disk", "resize", "vm2", "20M", "--qmp", monitor).run();
                assertThat(taken.exitCode()).isEqualTo(1);
                assertThat(taken.stderr()).contains("expected=a monitor that no other client has");
                assertThat(holder.command("{\"execute\":\"query-block\"}"))
                        .contains("\"virtual-size\": " + 10 * MIB);
            }
            assertThat(quoin("disk", "ls").runOk().stdout()).doesNotContain("20 MiB");
            server.terminate();
        }
    }

    private PeerCommand quoin(Object... words) {
        List<String> arguments = new ArrayList<>();
        for (Object word : words) {
            arguments.add(word.toString());
        }
        arguments.addAll(List.of("--data", data.toString()));
        return QuoinProgram.command(arguments);
    }

    private PeerProcess serve() {
        PeerProcess server =
                quoin("serve", "--disk", "vm1=10M", "--disk", "vm2=10M", "--listen", "none")
                        .start();
        server.awaitLine(line -> line.equals("ready"), LIMIT);
        return server;
    }

    private String nbd(String reconnect, String node) {
        String export = node.equals("vm2") ? "vm2" : "vm1";
        return "driver=nbd,node-name="
                + node
                + ",server.type=unix,server.path="
                + data.resolve("nbd.sock")
                + ",export="
                + export
                + reconnect;
    }

    /** A machine that runs and finds nothing to boot from. */
    private PeerProcess boot(String disk, String drive, String... more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "-nodefaults",
                                "-no-user-config",
                                "-display",
                                "none",
                                "-accel",
                                "tcg",
                                "-m",
                                "64",
                                "-qmp",
                                "unix:" + monitor + ",server=on,wait=off",
                                "-blockdev",
                                disk));
        arguments.addAll(List.of(more));
        arguments.addAll(
                List.of(
                        "-device",
                        "virtio-blk-pci,drive=" + drive + ",id=disk,werror=stop,rerror=stop"));
        return Peer.QEMU_SYSTEM.command(arguments).start();
    }

    private static String io(String command) {
        return "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"qemu-io -d"
                + " /machine/peripheral/disk/virtio-backend \\\""
                + command
                + "\\\"\"}}";
    }
}
