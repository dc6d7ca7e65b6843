package io.quoin.management.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

@Timeout(10)
class NbdAddressesTest {
    private final NbdAddresses both = new NbdAddresses("/run/a b,c/nbd.sock", "127.0.0.1:10809");

    @Test
    void shouldEncodeWhatUrisCannotHold() {
        assertThat(both.uris("vm1"))
                .containsExactly(
                        "nbd+unix:///vm1?socket=/run/a%20b%2Cc/nbd.sock",
                        "nbd://127.0.0.1:10809/vm1");
    }

    @Test
    void shouldDoubleCommasForQemu() {
        assertThat(both.qemuArguments("vm1"))
                .containsExactly(
                        "-blockdev",
                        "driver=nbd,node-name=vm1,server.type=unix,server.path=/run/a"
                                + " b,,c/nbd.sock,export=vm1,reconnect-delay=300,discard=unmap",
                        "-device",
                        "virtio-blk-pci,drive=vm1,id=vm1,werror=stop,rerror=stop,discard_granularity=65536");
    }

    @Test
    void shouldAttachSnapshotsReadOnly() {
        assertThat(both.uris("vm1@monday").get(1)).isEqualTo("nbd://127.0.0.1:10809/vm1%40monday");
        assertThat(both.qemuArguments("vm1@monday").get(1))
                .endsWith(",export=vm1@monday,reconnect-delay=300,read-only=on");
        assertThat(both.qemuArguments("vm1@monday").get(3)).endsWith(",werror=stop,rerror=stop");
        assertThat(both.libvirtXml("vm1@monday", "vdb")).contains("  <readonly/>\n</disk>");
        assertThat(both.libvirtXml("vm1", "vdb")).doesNotContain("readonly");
    }

    private String node(String disk) {
        List<String> arguments = both.qemuArguments(disk);
        String node = arguments.get(3).replaceFirst("virtio-blk-pci,drive=([^,]*),.*", "$1");
        assertThat(arguments.get(3)).contains(",id=" + node + ",");
        assertThat(arguments.get(1)).startsWith("driver=nbd,node-name=" + node + ",");
        return node;
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "vm1", "Db_1.root-2", "abcdefghijklmnopqrstuvwxyz01234"})
    void shouldNameTheNodeAsTheDiskWhenQemuTakesThat(String disk) {
        assertThat(node(disk)).isEqualTo(disk);
    }

    @Test
    void shouldNameNodesApartWhenDisksBeginAlike() {
        Set<String> nodes = new HashSet<>();
        List<String> disks = new ArrayList<>(List.of("1st", "disk-1st", "_1", "2", "disk-2"));
        for (int length = 32; length <= 200; length++) {
            disks.add("x".repeat(length));
            disks.add("9".repeat(length));
            disks.add("customer-portal-production-db01-" + "0".repeat(length - 32) + "y");
        }
        for (String disk : disks) {
            assertThat(node(disk)).matches("[A-Za-z][A-Za-z0-9._-]{0,30}");
            nodes.add(node(disk));
            assertThat(node(disk)).as("each time").isEqualTo(node(disk));
        }
        assertThat(nodes).hasSameSizeAs(Set.copyOf(disks));
    }

    @Test
    void shouldUseTcpWhenThereIsNoSocket() {
        NbdAddresses tcp = new NbdAddresses(null, "[::1]:10810");

        assertThat(tcp.uris("vm1")).containsExactly("nbd://[::1]:10810/vm1");
        assertThat(tcp.qemuArguments("vm1").get(1))
                .contains("server.type=inet,server.host=::1,server.port=10810");
        assertThat(tcp.libvirtXml("vm1", "vda")).contains("<host name='::1' port='10810'/>");
    }

    @Test
    void shouldPrintWellFormedXmlWhateverThePath() throws Exception {
        String xml = new NbdAddresses("/run/<a>&'b'/nbd.sock", null).libvirtXml("vm1", "vdb");

        Element disk =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))
                        .getDocumentElement();
        Element host = (Element) disk.getElementsByTagName("host").item(0);
        Element source = (Element) disk.getElementsByTagName("source").item(0);
        assertThat(host.getAttribute("socket")).isEqualTo("/run/<a>&'b'/nbd.sock");
        assertThat(source.getAttribute("protocol")).isEqualTo("nbd");
        assertThat(source.getAttribute("name")).isEqualTo("vm1");
        Element reconnect = (Element) source.getElementsByTagName("reconnect").item(0);
        assertThat(reconnect.getAttribute("delay")).isEqualTo("300");
    }
}
