package io.quoin.benchmarks.compare;

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
final class QuoinReplica {
    static final String NAME = "quoin-replica";

    private static final int BRICKS = 3;
    private static final String VOLUME = "copies";
    private static final String DISK = VOLUME + "/" + Contender.EXPORT;
    private static final String ADDRESS = "address: ";

    private QuoinReplica() {}

    static Contender start(Path quoin, Path folder, Path socket, long sizeBytes)
            throws IOException {
        List<PeerProcess> processes = new ArrayList<>();
        try {
            List<String> create = new ArrayList<>(List.of("volume", "create", VOLUME));
            create.addAll(List.of("replica", Integer.toString(BRICKS)));
            for (int i = 0; i < BRICKS; i++) {
                PeerProcess brick = brick(quoin, Files.createDirectory(folder.resolve("b" + i)));
                processes.add(brick);
                create.add(address(brick));
            }
            String data = "--data=" + folder.resolve("data");
            PeerProcess service =
                    Contender.quoin(
                                    quoin,
                                    List.of("serve", data, "--socket=" + socket, "--listen=none"))
                            .start();
            processes.add(service);
            Contender.awaitReady(service);
            create.add(data);
            Contender.quoin(quoin, create).runOk();
            Contender.quoin(quoin, List.of("volume", "start", VOLUME, data)).runOk();
            Contender.quoin(quoin, List.of("disk", "create", DISK, sizeBytes + "", data)).runOk();
            return new Contender(NAME, processes, DISK, socket);
        } catch (AssertionError | IOException notReady) {
            processes.forEach(PeerProcess::close);
            throw notReady;
        }
    }

    private static PeerProcess brick(Path quoin, Path folder) {
        return Contender.quoin(quoin, List.of("brick", "--path=" + folder, "--listen=127.0.0.1:0"))
                .start();
    }

    private static String address(PeerProcess brick) {
        Contender.awaitReady(brick);
        return brick.stdout()
                .lines()
                .filter(line -> line.contains(ADDRESS))
                .map(line -> line.substring(line.indexOf(ADDRESS) + ADDRESS.length()).strip())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no address: " + brick.stdout()));
    }
}
