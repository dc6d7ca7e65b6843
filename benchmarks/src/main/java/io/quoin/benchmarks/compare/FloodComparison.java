package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One guest on a disk of its own, beside clients that flood another disk of the same server.
 * qemu-nbd has one export only: there the guest and the flood share the disk.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class FloodComparison {
    private static final String GUEST = "guest";
    private static final String OTHER = "other";
    private static final long OTHER_BYTES = 1L << 40;
    private static final long OTHER_STRIDE_BYTES = 512L << 20;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Pattern TOTALS = Pattern.compile("done=(\\d+) lost=(\\d+)");
    private static final List<String> GUEST_LOAD =
            List.of("--rw=randrw", "--iodepth=1", "--rwmixread=50");

    private final Bench bench;
    private final int clients;
    private final long guestBytes;

    FloodComparison(Bench bench, int clients, long guestBytes) {
        this.bench = bench;
        this.clients = clients;
        this.guestBytes = guestBytes;
    }

    List<FloodRun> run(List<FloodKind> kinds, List<String> names) throws IOException {
        List<DiskServer> servers = new ArrayList<>();
        try {
            for (String name : names) {
                servers.add(start(name));
            }
            for (DiskServer server : servers) {
                FioLoad.fill(bench, server.uri(GUEST));
                if (hasTwoDisks(server)) {
                    FioLoad.scatter(bench, server.uri(OTHER), OTHER_BYTES, OTHER_STRIDE_BYTES);
                }
            }
            return rounds(kinds, servers);
        } finally {
            servers.forEach(DiskServer::close);
        }
    }

    /**
     * @param servers gets those that are started in place of one that has ended
     */
    private List<FloodRun> rounds(List<FloodKind> kinds, List<DiskServer> servers)
            throws IOException {
        List<FloodRun> runs = new ArrayList<>();
        List<DiskServer> turns = new ArrayList<>(servers);
        for (int round = 0; round <= bench.rounds(); round++) {
            for (FloodKind kind : kinds) {
                for (int i = 0; i < turns.size(); i++) {
                    DiskServer server = turns.get(i);
                    try {
                        FloodRun run = measure(kind, server, round);
                        show(run);
                        if (round > 0) {
                            runs.add(run);
                        }
                    } catch (IOException e) {
                        requirePeerThatEnded(server, e);
                        showEnd(server, kind, round);
                        turns.set(i, start(server.name()));
                        servers.add(turns.get(i));
                    }
                }
            }
            Collections.rotate(turns, 1);
        }
        return runs;
    }

    /** That a flood ends a peer is a result; all else is a failure of the comparison. */
    private static void requirePeerThatEnded(DiskServer server, IOException failure)
            throws IOException {
        if (server.name().equals(Contender.QUOIN) || server.alive()) {
            throw failure;
        }
    }

    private void showEnd(DiskServer server, FloodKind kind, int round) {
        bench.progress()
                .accept(
                        String.format(
                                Locale.ROOT,
                                "round %d/%d  %-13s %-20s ended in the flood, and is started again",
                                round,
                                bench.rounds(),
                                kind.label(),
                                server.name()));
    }

    /** With the images that are there already, if it has been started before. */
    private DiskServer start(String name) throws IOException {
        Path data = bench.folder().resolve(name);
        if (name.equals(Contender.QUOIN)) {
            Map<String, Long> sizes = new TreeMap<>(Map.of(GUEST, guestBytes, OTHER, OTHER_BYTES));
            return DiskServer.quoin(bench, data, sizes, List.of());
        }
        Files.createDirectories(data);
        Path guest = image(data, GUEST, guestBytes);
        if (name.equals(Contender.QEMU_NBD)) {
            List<String> image =
                    List.of(
                            "--format=qcow2",
                            "--cache=writeback",
                            "--aio=threads",
                            "--discard=unmap",
                            guest.toString());
            return DiskServer.qemuNbd(bench, GUEST, image);
        }
        return DiskServer.storageDaemon(
                bench, new TreeMap<>(Map.of(GUEST, guest, OTHER, image(data, OTHER, OTHER_BYTES))));
    }

    private static Path image(Path folder, String name, long sizeBytes) {
        Path image = folder.resolve(name + ".qcow2");
        if (Files.notExists(image)) {
            String size = Long.toString(sizeBytes);
            Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", image.toString(), size).runOk();
        }
        return image;
    }

    private static boolean hasTwoDisks(DiskServer server) {
        return !server.name().equals(Contender.QEMU_NBD);
    }

    private FloodRun measure(FloodKind kind, DiskServer server, int round) throws IOException {
        try {
            FioLoad.Result alone = guest(server);
            long start = System.nanoTime();
            try (PeerProcess flood = flood(kind, server).start()) {
                flood.awaitLine(line -> line.equals(Flood.BEGUN), LIMIT);
                FioLoad.Result beside = guest(server);
                flood.feed(new byte[0]);
                PeerResult end = flood.awaitExit(LIMIT).requireSuccess();
                double seconds = (System.nanoTime() - start) / 1e9;
                Matcher totals = totals(end.stdout());
                return new FloodRun(
                        kind.label(),
                        server.name(),
                        round,
                        alone,
                        beside,
                        Long.parseLong(totals.group(1)) / seconds,
                        Long.parseLong(totals.group(2)),
                        server.peakBytes());
            }
        } catch (IOException e) {
            throw new IOException(
                    "%s, %s: server up=%s, its log=%s"
                            .formatted(
                                    kind.label(),
                                    server.name(),
                                    server.alive(),
                                    server.complaints()),
                    e);
        }
    }

    static Matcher totals(String output) throws IOException {
        Matcher totals = TOTALS.matcher(output);
        if (!totals.find()) {
            throw new IOException("the flood printed no totals: output=" + output);
        }
        return totals;
    }

    private FioLoad.Result guest(DiskServer server) throws IOException {
        List<String> more = new ArrayList<>(GUEST_LOAD);
        more.add("--size=" + guestBytes);
        try (FioLoad load = FioLoad.start(bench, List.of(server.uri(GUEST)), more)) {
            return load.await();
        }
    }

    private PeerCommand flood(FloodKind kind, DiskServer server) {
        return PeerCommand.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Flood.class.getName(),
                kind.label(),
                server.socket().toString(),
                hasTwoDisks(server) ? OTHER : GUEST,
                Integer.toString(clients));
    }

    private void show(FloodRun run) {
        bench.progress()
                .accept(
                        String.format(
                                Locale.ROOT,
                                "round %d/%d  %-13s %-20s %7.0f IOPS alone %7.0f beside"
                                        + "  p99 %7.0f us  %9.0f/s %6d lost",
                                run.round(),
                                bench.rounds(),
                                run.kind(),
                                run.server(),
                                run.alone().iops(),
                                run.beside().iops(),
                                run.beside().p99Micros(),
                                run.floodPerSecond(),
                                run.lost()));
    }
}
