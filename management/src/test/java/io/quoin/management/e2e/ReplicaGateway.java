package io.quoin.management.e2e;

import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.OperationType;
import io.quoin.management.volume.DataFolder;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** {@code quoin serve} on a data folder, as processes that follow one another. */
final class ReplicaGateway implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private final SocketFolder sockets = SocketFolder.create();
    private final Path data = sockets.resolve("data");
    private final List<String> logs = new ArrayList<>();
    private PeerProcess process;

    ReplicaGateway() {
        start();
    }

    void start() {
        process =
                QuoinProgram.command(
                                List.of(
                                        "serve",
                                        "--data",
                                        data.toString(),
                                        "--socket",
                                        sockets.resolve("nbd.sock").toString(),
                                        "--listen",
                                        "none"))
                        .start();
        process.awaitLine(line -> line.strip().equals("ready"), LIMIT);
    }

    void kill() {
        process.kill();
        logs.add(process.stderr());
    }

    /** Ends it gently. */
    PeerResult stop() {
        process.terminate();
        PeerResult result = process.awaitExit(LIMIT);
        logs.add(process.stderr());
        return result;
    }

    /**
     * Has the kernel stop or continue it.
     *
     * @param name STOP or CONT
     */
    void signal(String name) {
        PeerCommand.of(List.of("kill", "-" + name, Long.toString(process.pid()))).runOk();
    }

    NbdUri uri(String export) {
        return NbdUri.unix(sockets.resolve("nbd.sock"), export);
    }

    Path volfile(String volume) {
        return data.resolve("volumes").resolve(volume).resolve("volume.vol");
    }

    /** As a command would. */
    <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        try (ControlClient client = ControlClient.connect(new DataFolder(data)).orElseThrow()) {
            return client.call(type, request);
        }
    }

    /** What its processes have logged. */
    String log() {
        return String.join("", logs) + (process.alive() ? process.stderr() : "");
    }

    @Override
    public void close() {
        if (process.alive()) {
            signal("CONT");
        }
        process.close();
        sockets.close();
    }
}
