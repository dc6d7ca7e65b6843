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

/**
 * A server under comparison: its processes, its image and its address. The qcow2 images of all are
 * of the same kind (version 3, 64 KiB clusters, 16-bit refcounts), written through the page cache.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class Contender implements AutoCloseable {
    static final String QUOIN = "quoin";
    static final String QEMU_NBD = "qemu-nbd";
    static final String NBDKIT = "nbdkit";

    static final String EXPORT = "bench";
    static final Duration START_LIMIT = Duration.ofMinutes(2);

    private final String name;
    private final List<PeerProcess> processes;
    private final String uri;

    /**
     * @param processes what it uses is what these use, with their children
     */
    Contender(String name, List<PeerProcess> processes, String export, Path socket) {
        this.name = name;
        this.processes = List.copyOf(processes);
        this.uri = "nbd+unix:///" + export + "?socket=" + socket;
    }

    /** Starts a server by its name with an empty disk of this size below the folder. */
    static Contender start(String name, Path quoin, Path folder, Path sockets, long sizeBytes)
            throws IOException {
        Path data = Files.createDirectory(folder.resolve(name));
        Path socket = sockets.resolve(name + ".sock");
        if (name.equals(QuoinReplica.NAME)) {
            return QuoinReplica.start(quoin, data, socket, sizeBytes).contender();
        }
        PeerCommand command =
                switch (name) {
                    case QUOIN -> quoin(quoin, data, socket, sizeBytes);
                    case QEMU_NBD -> qemuNbd(data, socket, sizeBytes);
                    case NBDKIT -> nbdkit(data, socket, sizeBytes);
                    case GlusterReplica.NAME ->
                            GlusterReplica.command(data, sockets, socket, sizeBytes);
                    default -> throw new IllegalArgumentException("no such server: " + name);
                };
        PeerProcess process = command.start();
        try {
            if (name.equals(QUOIN)) {
                awaitReady(process);
            }
            process.awaitSocket(socket, START_LIMIT);
        } catch (AssertionError notReady) {
            process.close();
            throw notReady;
        }
        return new Contender(name, List.of(process), EXPORT, socket);
    }

    static void awaitReady(PeerProcess process) {
        process.awaitLine(line -> line.strip().equals("ready"), START_LIMIT);
    }

    private static PeerCommand quoin(Path program, Path data, Path socket, long sizeBytes) {
        return quoin(
                program,
                List.of(
                        "serve",
                        "--data=" + data,
                        "--disk=" + EXPORT + "=" + sizeBytes,
                        "--socket=" + socket,
                        "--listen=none"));
    }

    /** On the classes of this very build: the program by itself may take older jars. */
    static PeerCommand quoin(Path program, List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of(program.toString()));
        argv.addAll(arguments);
        return PeerCommand.of(argv)
                .environment("JAVA_HOME", System.getProperty("java.home"))
                .environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"));
    }

    private static PeerCommand qemuNbd(Path data, Path socket, long sizeBytes) {
        Path image = data.resolve(EXPORT + ".qcow2");
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-o",
                        "compat=1.1,cluster_size=65536,refcount_bits=16",
                        image.toString(),
                        Long.toString(sizeBytes))
                .runOk();
        return Peer.QEMU_NBD.command(
                "--socket=" + socket,
                "--format=qcow2",
                "--cache=writeback",
                "--aio=threads",
                "--discard=unmap",
                "--detect-zeroes=off",
                "--persistent",
                "--shared=16",
                "--export-name=" + EXPORT,
                image.toString());
    }

    private static PeerCommand nbdkit(Path data, Path socket, long sizeBytes) {
        Path image = data.resolve(EXPORT + ".raw");
        PeerCommand.of("truncate", "--size=" + sizeBytes, image.toString()).runOk();
        return Peer.NBDKIT.command("--foreground", "--unix=" + socket, "file", image.toString());
    }

    String name() {
        return name;
    }

    String uri() {
        return uri;
    }

    ProcessUsage usage() throws IOException {
        ProcessUsage sum = new ProcessUsage(0, 0);
        for (PeerProcess process : processes) {
            sum = sum.plus(ProcessUsage.of(process.pid()));
        }
        return sum;
    }

    @Override
    public void close() {
        processes.forEach(PeerProcess::close);
    }
}
