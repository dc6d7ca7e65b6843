package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Quoin with a volume of three copies, in three brick daemons of this machine, over loopback.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class QuoinReplica implements AutoCloseable {
    static final String NAME = "quoin-replica";
    static final String VOLUME = "copies";

    private static final int BRICKS = 3;
    private static final String DISK = VOLUME + "/" + Contender.EXPORT;
    private static final String ADDRESS = "address: ";

    private final Path quoin;
    private final Path folder;
    private final Path socket;
    private final List<PeerProcess> bricks = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();
    private final List<PeerProcess> processes = new ArrayList<>();

    private QuoinReplica(Path quoin, Path folder, Path socket) {
        this.quoin = quoin;
        this.folder = folder;
        this.socket = socket;
    }

    static QuoinReplica start(Path quoin, Path folder, Path socket, long sizeBytes)
            throws IOException {
        QuoinReplica replica = new QuoinReplica(quoin, folder, socket);
        try {
            replica.begin(sizeBytes);
            return replica;
        } catch (AssertionError | IOException notReady) {
            replica.close();
            throw notReady;
        }
    }

    private void begin(long sizeBytes) throws IOException {
        for (int i = 0; i < BRICKS; i++) {
            Files.createDirectory(brickFolder(i));
            bricks.add(startBrick(i, "127.0.0.1:0"));
            addresses.add(address(bricks.get(i)));
        }
        PeerProcess service =
                Contender.quoin(
                                quoin,
                                List.of("serve", data(), "--socket=" + socket, "--listen=none"))
                        .start();
        processes.add(service);
        Contender.awaitReady(service);
        List<String> create = new ArrayList<>(List.of("volume", "create", VOLUME));
        create.addAll(List.of("replica", Integer.toString(BRICKS)));
        create.addAll(addresses);
        command(create).runOk();
        command(List.of("volume", "start", VOLUME)).runOk();
        command(List.of("disk", "create", DISK, Long.toString(sizeBytes))).runOk();
    }

    private Path brickFolder(int brick) {
        return folder.resolve("b" + brick);
    }

    private String data() {
        return "--data=" + folder.resolve("data");
    }

    /** A command to the service. */
    PeerCommand command(List<String> words) {
        List<String> all = new ArrayList<>(words);
        all.add(data());
        return Contender.quoin(quoin, all);
    }

    private PeerProcess startBrick(int brick, String address) {
        PeerProcess process =
                Contender.quoin(
                                quoin,
                                List.of(
                                        "brick",
                                        "--path=" + brickFolder(brick),
                                        "--listen=" + address))
                        .start();
        processes.add(process);
        Contender.awaitReady(process);
        return process;
    }

    private static String address(PeerProcess brick) {
        return brick.stdout()
                .lines()
                .filter(line -> line.contains(ADDRESS))
                .map(line -> line.substring(line.indexOf(ADDRESS) + ADDRESS.length()).strip())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no address: " + brick.stdout()));
    }

    /** Ends a brick at once. */
    void kill(int brick) {
        bricks.get(brick).kill();
        processes.remove(bricks.get(brick));
    }

    /** Starts it again, at its address. */
    PeerProcess restart(int brick) {
        bricks.set(brick, startBrick(brick, addresses.get(brick)));
        return bricks.get(brick);
    }

    Contender contender() {
        return new Contender(NAME, processes, DISK, socket);
    }

    @Override
    public void close() {
        processes.forEach(PeerProcess::close);
    }
}
