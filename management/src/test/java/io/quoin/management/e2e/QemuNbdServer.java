package io.quoin.management.e2e;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * The control: a qemu-nbd process for each disk, started at the first question for an address. A
 * disk is served on a unix socket or on a port, not on both.
 */
final class QemuNbdServer implements DiskServer {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Path folder;
    private final SocketFolder sockets = SocketFolder.create();
    private final Map<String, PeerProcess> processes = new HashMap<>();
    private final Map<String, NbdUri> addresses = new HashMap<>();

    private QemuNbdServer(Path folder) {
        this.folder = folder;
    }

    static DiskServer startServer(Path folder, Map<String, Long> disks) {
        Peer.assumeAll(Peer.QEMU_NBD, Peer.QEMU_IMG);
        QemuNbdServer server = new QemuNbdServer(folder);
        disks.forEach(
                (name, sizeBytes) -> {
                    String file = server.image(name).toString();
                    if (!Files.exists(server.image(name))) {
                        Peer.QEMU_IMG
                                .command("create", "-q", "-f", "qcow2", file, sizeBytes.toString())
                                .runOk();
                    }
                });
        return server;
    }

    @Override
    public NbdUri unix(String disk) {
        return addresses.computeIfAbsent(
                disk,
                name -> {
                    Path socket = sockets.resolve(name);
                    PeerProcess process = start(name, "--socket=" + socket);
                    process.awaitReady(() -> Files.exists(socket), LIMIT);
                    return NbdUri.unix(socket, name);
                });
    }

    @Override
    public NbdUri tcp(String disk) {
        return addresses.computeIfAbsent(
                disk,
                name -> {
                    int port = freePort();
                    start(name, "--bind=127.0.0.1", "--port=" + port).awaitPort(port, LIMIT);
                    return NbdUri.tcp(port, name);
                });
    }

    private PeerProcess start(String disk, String... address) {
        String[] argv = new String[address.length + 7];
        System.arraycopy(address, 0, argv, 0, address.length);
        argv[address.length] = "--persistent";
        argv[address.length + 1] = "--shared=8";
        argv[address.length + 2] = "--discard=unmap";
        argv[address.length + 3] = "--export-name=" + disk;
        argv[address.length + 4] = "--format=qcow2";
        argv[address.length + 5] = "--cache=writeback";
        argv[address.length + 6] = image(disk).toString();
        PeerProcess process = Peer.QEMU_NBD.command(argv).start();
        processes.put(disk, process);
        return process;
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Path image(String disk) {
        return folder.resolve(disk + ".qcow2");
    }

    @Override
    public void kill() {
        processes.values().forEach(PeerProcess::kill);
    }

    @Override
    public void stop() {
        processes.values().forEach(PeerProcess::terminate);
        processes.values().forEach(process -> process.awaitExit(LIMIT));
    }

    @Override
    public void close() {
        processes.values().forEach(PeerProcess::close);
        sockets.close();
    }
}
