package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The commands on NBD exports, each beside qemu-img's own on the same export. */
@Timeout(120)
class NbdToolsTest extends ImageToolsBed {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final SocketFolder sockets = SocketFolder.create();
    private PeerProcess server;
    private String uri;

    @BeforeEach
    void serve() {
        Peer.QEMU_NBD.assumeAvailable();
        qemuImg("create", "-f", "qcow2", "disk.qcow2", "64M");
        qemuIo("qcow2", "disk.qcow2", "write -P 1 3M 64k");
        qemuIo("qcow2", "disk.qcow2", "write -P 1 3136k 1M");
        qemuIo("qcow2", "disk.qcow2", "write -z 40M 1M");
        Path socket = sockets.resolve("s");
        server =
                Peer.QEMU_NBD
                        .command("-rtfqcow2", "--socket=" + socket, at("disk.qcow2"))
                        .start()
                        .awaitSocket(socket, LIMIT);
        uri = "nbd+unix:///?socket=" + socket;
    }

    @AfterEach
    void stop() {
        server.close();
        sockets.close();
    }

    @Test
    void shouldMapAnExportAsQemuDoes() throws IOException {
        JsonNode theirs = JSON.readTree(qemuImg("map", "-fraw", "--output=json", uri));
        JsonNode ours = json("map", uri);

        assertThat(ours).hasSameSizeAs(theirs).hasSizeGreaterThan(2);
        for (int i = 0; i < ours.size(); i++) {
            for (String field : List.of("start", "length", "depth", "zero", "data", "present")) {
                assertThat(ours.get(i).path(field))
                        .as(field + " of " + ours.get(i))
                        .isEqualTo(theirs.get(i).path(field));
            }
        }
        assertThat(ok("map", uri).out()).contains("0x300000           0x110000", "data", "zero");
    }

    @Test
    void shouldDescribeAnExportAsQemuDoes() throws IOException {
        JsonNode theirs = JSON.readTree(qemuImg("info", "-fraw", "--output=json", uri));
        JsonNode ours = json("info", uri);

        for (String field : List.of("format", "virtual-size")) {
            assertThat(ours.path(field)).as(field).isEqualTo(theirs.path(field));
        }
        assertThat(ours.path("nbd").path("block-status").asBoolean()).isTrue();
        assertThat(ok("info", uri).out()).contains("virtual-size: 64 MiB (67108864 bytes)");
        assertThat(json("info", "--backing-chain", uri)).hasSize(1);
    }

    @Test
    void shouldSayThatAFileIsWantedWhereItIs() throws IOException {
        Outcome outcome = run(List.of("check", uri));
        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("not an image file: expected=a path, actual=" + uri);
        // Still served; and qemu-nbd, told to end while it greets its first client, never does.
        assertThat(json("info", uri).path("virtual-size").asLong()).isEqualTo(64L << 20);
    }
}
