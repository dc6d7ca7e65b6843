package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A server with any number of disks on a unix socket.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class DiskServer implements AutoCloseable {
    static final String STORAGE_DAEMON = "qemu-storage-daemon";

    private static final Duration START_LIMIT = Duration.ofMinutes(5);

    private final String name;
    private final PeerProcess process;
    private final Path socket;

    private DiskServer(String name, PeerProcess process, Path socket) {
        this.name = name;
        this.process = process;
        this.socket = socket;
    }

    /**
     * Quoin with all disks of its data folder.
     *
     * @param disks sizes by name, of those that are made if they are not there
     */
    static DiskServer quoin(Bench bench, Path data, Map<String, Long> disks, List<String> more) {
        Path socket = bench.sockets().resolve("quoin.sock");
        List<String> arguments =
                new ArrayList<>(
                        List.of("serve", "--data=" + data, "--socket=" + socket, "--listen=none"));
        disks.forEach((disk, size) -> arguments.add("--disk=" + disk + "=" + size));
        arguments.addAll(more);
        PeerProcess process = quoin(bench, arguments).start();
        DiskServer server = new DiskServer(Contender.QUOIN, process, socket);
        try {
            process.awaitLine(line -> line.strip().equals("ready"), START_LIMIT);
        } catch (AssertionError notReady) {
            server.close();
            throw notReady;
        }
        return server.ready();
    }

    /** On the classes of this very build: the program by itself may take older jars. */
    private static PeerCommand quoin(Bench bench, List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of(bench.quoin().toString()));
        argv.addAll(arguments);
        return PeerCommand.of(argv)
                .environment("JAVA_HOME", System.getProperty("java.home"))
                .environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"));
    }

    /** qemu-nbd with one image, whose export has the name {@code export}. */
    static DiskServer qemuNbd(Bench bench, String export, List<String> image) {
        Path socket = bench.sockets().resolve("qemu-nbd.sock");
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--socket=" + socket,
                                "--persistent",
                                "--shared=0",
                                "--export-name=" + export));
        arguments.addAll(image);
        return new DiskServer(Contender.QEMU_NBD, Peer.QEMU_NBD.command(arguments).start(), socket)
                .ready();
    }

    /** qemu-storage-daemon with an export for each image, by the image's name without suffix. */
    static DiskServer storageDaemon(Bench bench, Map<String, Path> images) {
        Path socket = bench.sockets().resolve("qemu-storage-daemon.sock");
        List<String> arguments = new ArrayList<>();
        arguments.add("--nbd-server");
        arguments.add("addr.type=unix,addr.path=" + socket);
        images.forEach(
                (export, image) -> {
                    arguments.add("--blockdev");
                    arguments.add(
                            "driver=qcow2,discard=unmap,node-name=%s,file.driver=file,file.filename=%s"
                                    .formatted(export, image));
                    arguments.add("--export");
                    arguments.add(
                            "type=nbd,id=e-%1$s,node-name=%1$s,name=%1$s,writable=on"
                                    .formatted(export));
                });
        return new DiskServer(
                        STORAGE_DAEMON, Peer.QEMU_STORAGE_DAEMON.command(arguments).start(), socket)
                .ready();
    }

    private DiskServer ready() {
        try {
            process.awaitSocket(socket, START_LIMIT);
        } catch (AssertionError notReady) {
            close();
            throw notReady;
        }
        return this;
    }

    String name() {
        return name;
    }

    Path socket() {
        return socket;
    }

    String uri(String export) {
        return "nbd+unix:///" + export + "?socket=" + socket;
    }

    boolean alive() {
        return process.alive();
    }

    /** What it has complained of so far. */
    String complaints() {
        return process.stderr();
    }

    /** The most memory that was resident so far; 0 once it has ended. */
    long peakBytes() throws IOException {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        return alive() ? ProcessUsage.peakBytes(Files.readString(status)) : 0;
    }

    @Override
    public void close() {
        process.close();
    }
}
