package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code quoin serve} as a process of its own. */
final class QuoinServer implements DiskServer {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Pattern TCP_URI = Pattern.compile("nbd://127\\.0\\.0\\.1:(\\d+)");

    /** A line of the log, or of a stack. */
    private static final Pattern ERROR =
            Pattern.compile("\\bERROR\\b|^\\s+at |Exception in thread");

    private static final int[] COLD_READS = {0, 1, 3};
    private static final AtomicInteger turn = new AtomicInteger();

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
        // Warm, cold, and cold now and then, in turn: reads that miss the page cache take another
        // way.
        int coldReads = COLD_READS[turn.getAndIncrement() % COLD_READS.length];
        PeerProcess process =
                QuoinProgram.command(arguments)
                        .environment("QUOIN_JAVA_OPTS", "-Dquoin.cold-reads=" + coldReads)
                        .start();
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

    /** Whatever it was used for: it must have had no error of the program. */
    @Override
    public void close() {
        process.close();
        sockets.close();
        assertThat(process.stderr().lines())
                .as("lines of the server's log")
                .noneMatch(line -> ERROR.matcher(line).find());
    }
}
