package io.quoin.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.xlator.graph.Volfile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The example files do what they say. */
@Timeout(120)
class ConfigurationTest {
    private static final Path EXAMPLES = Path.of(System.getProperty("quoin.root"), "examples");
    private static final String INSTALLED = "/opt/quoin/bin/quoin";

    @TempDir private Path folder;

    @Test
    void shouldServeDisksThroughTheExampleVolfile() throws IOException {
        Path example = EXAMPLES.resolve("volfiles/throttled.vol");
        Path volfile = Files.copy(example, folder.resolve("throttled.vol"));
        assertThat(Volfile.read(volfile).top().name()).isEqualTo("stats");

        try (Volume volume = Volumes.openVolfile(volfile)) {
            volume.create("vm1", 10 << 20);
            try (Disk disk = volume.open("vm1")) {
                ByteBuffer block = ByteBuffer.allocateDirect(4096).put(0, (byte) 7);
                disk.write(1 << 20, block);
                ByteBuffer read = ByteBuffer.allocateDirect(4096);
                disk.read(1 << 20, read);
                assertThat(read).isEqualTo(block);
            }
        }
        assertThat(folder.resolve("brick/vm1.qcow2")).exists();
    }

    @Test
    void shouldHaveTheXmlThatTheCommandPrints() throws Exception {
        Path example = EXAMPLES.resolve("libvirt/disk.xml");
        Document parsed =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(example.toFile());
        assertThat(parsed.getDocumentElement().getTagName()).isEqualTo("disk");

        assertThat(example)
                .hasContent(new NbdAddresses("/run/quoin/nbd.sock", null).libvirtXml("vm1", "vda"));
    }

    @Test
    void shouldHaveAUnitThatSystemdTakes() throws IOException {
        Peer.SYSTEMD_ANALYZE.assumeAvailable();
        String launcher = EXAMPLES.resolveSibling("bin/quoin").toString();
        String unit = Files.readString(EXAMPLES.resolve("systemd/quoin.service"));
        assertThat(unit).contains("ExecStart=" + INSTALLED + " serve ");
        Path here =
                Files.writeString(
                        folder.resolve("quoin.service"), unit.replace(INSTALLED, launcher));

        Path socket =
                Files.copy(
                        EXAMPLES.resolve("systemd/quoin.socket"), folder.resolve("quoin.socket"));

        PeerCommand.of("systemd-analyze", "verify", "--man=no", here.toString(), socket.toString())
                .environment("SYSTEMD_LOG_LEVEL", "warning")
                .runOk();
    }
}
