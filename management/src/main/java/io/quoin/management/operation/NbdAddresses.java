package io.quoin.management.operation;

import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.NameText;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where disks can be attached, and how to say so to others. At least one of the two is there.
 *
 * <p>Threading: immutable.
 *
 * @param socket path of the unix socket
 * @param tcp host and port, as {@code 127.0.0.1:10809} or {@code [::1]:10809}
 */
public record NbdAddresses(@Nullable String socket, @Nullable String tcp) {
    /** How long QEMU tries to reach the service again before a request fails. */
    private static final int RECONNECT_SECONDS = 300;

    /** What a guest gives back at least: a cluster, of a disk that was made without options. */
    private static final int DISCARD_BYTES = 1 << 16;

    /** URIs as nbdinfo, nbdcopy, qemu-img and others take them. */
    public List<String> uris(String disk) {
        List<String> uris = new ArrayList<>();
        if (socket != null) {
            uris.add("nbd+unix:///" + percent(disk) + "?socket=" + percentPath(socket));
        }
        if (tcp != null) {
            uris.add("nbd://" + tcp + "/" + percent(disk));
        }
        return uris;
    }

    /**
     * Arguments for QEMU: a block device node and a disk of the guest on it; of a snapshot too.
     * What the guest asks for while the service is restarted waits; after {@link
     * #RECONNECT_SECONDS}, and where the service says that it failed, the guest is stopped instead
     * of told.
     */
    public List<String> qemuArguments(String disk) {
        String node = NodeName.of(disk);
        boolean isReadOnly = SnapshotName.isOne(disk);
        return List.of(
                "-blockdev",
                "driver=nbd,node-name="
                        + node
                        + ","
                        + qemuServer()
                        + ",export="
                        + doubledCommas(disk)
                        + ",reconnect-delay="
                        + RECONNECT_SECONDS
                        + (isReadOnly ? ",read-only=on" : ",discard=unmap"),
                "-device",
                "virtio-blk-pci,drive="
                        + node
                        + ",id="
                        + node
                        + ",werror=stop,rerror=stop"
                        + (isReadOnly ? "" : ",discard_granularity=" + DISCARD_BYTES));
    }

    /** A disk element for a libvirt domain; of a snapshot too, and with the same policies. */
    public String libvirtXml(String disk, String targetDevice) {
        return """
        <disk type='network' device='disk'>
          <driver name='qemu' type='raw' cache='none' discard='unmap' error_policy='stop' rerror_policy='stop'/>
          <source protocol='nbd' name='%s'>
            %s
            <reconnect delay='%d'/>
          </source>
          <target dev='%s' bus='virtio'/>%s
        </disk>
        """
                .formatted(
                        xml(disk),
                        libvirtHost(),
                        RECONNECT_SECONDS,
                        xml(targetDevice),
                        SnapshotName.isOne(disk) ? "\n  <readonly/>" : "");
    }

    private String qemuServer() {
        return socket != null
                ? "server.type=unix,server.path=" + doubledCommas(socket)
                : "server.type=inet,server.host=" + host() + ",server.port=" + port();
    }

    private String libvirtHost() {
        return socket != null
                ? "<host transport='unix' socket='" + xml(socket) + "'/>"
                : "<host name='" + host() + "' port='" + port() + "'/>";
    }

    private String host() {
        String address = String.valueOf(tcp);
        String host = address.substring(0, address.lastIndexOf(':'));
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private String port() {
        String address = String.valueOf(tcp);
        return address.substring(address.lastIndexOf(':') + 1);
    }

    private static String doubledCommas(String value) {
        return value.replace(",", ",,");
    }

    private static String percent(String text) {
        // Character for character, also where the text is a name that is no UTF-8.
        String bytes = new String(NameText.bytes(text), StandardCharsets.ISO_8859_1);
        return URLEncoder.encode(bytes, StandardCharsets.ISO_8859_1).replace("+", "%20");
    }

    private static String percentPath(String path) {
        return percent(path).replace("%2F", "/");
    }

    private static String xml(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&apos;");
    }
}
