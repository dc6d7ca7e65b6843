package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
                                + " b,,c/nbd.sock,export=vm1,discard=unmap",
                        "-device",
                        "virtio-blk-pci,drive=vm1");
    }

    @Test
    void shouldGiveQemuANodeNameThatItTakes() {
        assertThat(both.qemuArguments("1st").get(3)).isEqualTo("virtio-blk-pci,drive=disk-1st");
        assertThat(both.qemuArguments("x".repeat(200)).get(3))
                .isEqualTo("virtio-blk-pci,drive=" + "x".repeat(31));
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
    }
}
