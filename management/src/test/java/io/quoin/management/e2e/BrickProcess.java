package io.quoin.management.e2e;

import io.quoin.replicate.wire.BrickAddress;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code quoin brick} as a process of its own. */
final class BrickProcess implements AutoCloseable {
    static final BrickAddress ANY_PORT = new BrickAddress("127.0.0.1", 0);

    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Pattern ADDRESS = Pattern.compile("address: (\\S+)");

    private final PeerProcess process;
    private final BrickAddress address;

    private BrickProcess(PeerProcess process, BrickAddress address) {
        this.process = process;
        this.address = address;
    }

    static PeerCommand command(Path folder, BrickAddress listen) {
        return QuoinProgram.command(
                List.of(
                        "brick",
                        "--path",
                        folder.toString(),
                        "--listen",
                        listen.toString(),
                        "--health-interval",
                        "1"));
    }

    static BrickProcess start(Path folder, BrickAddress listen) {
        PeerProcess process = command(folder, listen).start();
        try {
            process.awaitLine(line -> line.strip().equals("ready"), LIMIT);
            Matcher address = ADDRESS.matcher(process.stdout());
            if (!address.find()) {
                throw new AssertionError("no address: " + process.stdout());
            }
            return new BrickProcess(process, BrickAddress.parse(address.group(1)));
        } catch (AssertionError notReady) {
            process.close();
            throw notReady;
        }
    }

    BrickAddress address() {
        return address;
    }

    String log() {
        return process.stderr();
    }

    void kill() {
        process.kill();
        process.awaitExit(LIMIT);
    }

    /** Ends it gently. */
    PeerResult stop() {
        process.terminate();
        return process.awaitExit(LIMIT);
    }

    PeerResult awaitExit() {
        return process.awaitExit(LIMIT);
    }

    /**
     * Has the kernel stop or continue it.
     *
     * @param name STOP or CONT
     */
    void signal(String name) {
        PeerCommand.of(List.of("kill", "-" + name, Long.toString(process.pid()))).runOk();
    }

    @Override
    public void close() {
        if (process.alive()) {
            signal("CONT");
        }
        process.close();
    }
}
