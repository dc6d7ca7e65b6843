package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code quoin serve} as a process of its own. */
final class QuoinServer implements DiskServer {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Pattern TCP_URI = Pattern.compile("nbd://127\\.0\\.0\\.1:(\\d+)");

    private final Path folder;
    private final SocketFolder sockets;
    private final PeerProcess process;

    private QuoinServer(Path folder, SocketFolder sockets, PeerProcess process) {
        this.folder = folder;
        this.sockets = sockets;
        this.process = process;
    }

    static DiskServer startServer(Path folder, Map<String, Long> disks) {
        SocketFolder sockets = SocketFolder.create();
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("serve", "--data", folder.toString()));
        disks.forEach(
                (name, sizeBytes) -> arguments.addAll(List.of("--disk", name + "=" + sizeBytes)));
        arguments.addAll(List.of("--socket", sockets.resolve("nbd.sock").toString()));
        arguments.addAll(List.of("--listen", "127.0.0.1:0"));
        PeerProcess process = QuoinProgram.command(arguments).start();
        QuoinServer server = new QuoinServer(folder, sockets, process);
        try {
            process.awaitLine(line -> line.strip().equals("ready"), LIMIT);
        } catch (AssertionError notReady) {
            server.close();
            throw notReady;
        }
        return server;
    }

    @Override
    public NbdUri unix(String disk) {
        return NbdUri.unix(sockets.resolve("nbd.sock"), disk);
    }

    @Override
    public NbdUri tcp(String disk) {
        Matcher uri = TCP_URI.matcher(process.stdout());
        assertThat(uri.find()).as("a TCP URI in " + process.stdout()).isTrue();
        return NbdUri.tcp(Integer.parseInt(uri.group(1)), disk);
    }

    @Override
    public Path image(String disk) {
        return folder.resolve("brick").resolve(disk + ".qcow2");
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public void stop() {
        process.terminate();
        PeerResult result = process.awaitExit(LIMIT);
        assertThat(result.exitCode()).as(result.toString()).isIn(0, 143);
    }

    @Override
    public void close() {
        process.close();
        sockets.close();
    }
}
