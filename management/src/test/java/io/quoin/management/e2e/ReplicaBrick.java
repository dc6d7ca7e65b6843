package io.quoin.management.e2e;

import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.testkit.peer.PeerCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A brick daemon of a volume, behind a proxy: its address stays while its processes come and go.
 */
final class ReplicaBrick implements AutoCloseable {
    private final Path folder;
    private final Path copy;
    private final int index;
    private final CutProxy proxy;
    private final List<String> logs = new ArrayList<>();
    private BrickProcess process;

    /**
     * @param folder of its own, there and empty
     * @param index of the brick in its replica set
     */
    ReplicaBrick(Path folder, int index) throws IOException {
        this.folder = folder;
        this.copy = folder.resolveSibling(folder.getFileName() + ".copy");
        this.index = index;
        this.proxy = new CutProxy();
        start();
    }

    BrickAddress address() {
        return new BrickAddress("127.0.0.1", proxy.port());
    }

    int index() {
        return index;
    }

    Path folder() {
        return folder;
    }

    CutProxy proxy() {
        return proxy;
    }

    void start() {
        process = BrickProcess.start(folder, BrickProcess.ANY_PORT);
        proxy.setTarget(process.address().port());
    }

    void kill() {
        process.kill();
        logs.add(process.log());
    }

    /** Ends it gently. */
    void stop() {
        process.stop();
        logs.add(process.log());
    }

    /**
     * Has the kernel stop or continue it.
     *
     * @param name STOP or CONT
     */
    void signal(String name) {
        process.signal(name);
    }

    /** Makes the empty folder a brick of the volume. */
    UUID claim(UUID volume, Layout layout) {
        return BrickClaim.claim(address(), WireOptions.local(), volume, index, layout).brick();
    }

    /** Keeps a copy of the folder; while no process has it. */
    void copy() {
        PeerCommand.of("cp", "-a", "--sparse=always", folder + "/.", copy.toString()).runOk();
    }

    /** The folder is again as it was copied; while no process has it. */
    void rollBack() throws IOException {
        wipe();
        PeerCommand.of("cp", "-a", "--sparse=always", copy + "/.", folder.toString()).runOk();
        PeerCommand.of("rm", "-rf", copy.toString()).runOk();
    }

    /** Empties the folder; while no process has it. */
    void wipe() throws IOException {
        try (Stream<Path> content = Files.walk(folder)) {
            for (Path entry : content.sorted(Comparator.reverseOrder()).toList()) {
                if (!entry.equals(folder)) {
                    Files.delete(entry);
                }
            }
        }
    }

    /** The files with guests' data. */
    List<Path> dataFiles() throws IOException {
        return dataFiles(folder);
    }

    /** Those of a brick's folder. */
    static List<Path> dataFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".data")).sorted().toList();
        }
    }

    /** What its processes have logged. */
    String log() {
        return String.join("", logs) + process.log();
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        process.kill();
        process.close();
    }
}
