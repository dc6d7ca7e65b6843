package io.quoin.benchmarks.compare;

import io.quoin.benchmarks.compare.LatencyLog.Stretch;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.DiskClone;
import io.quoin.management.operation.SnapshotDiff;
import io.quoin.management.volume.DataFolder;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What snapshots and clones cost: the scenarios of {@link SnapshotScenario}. Each server has its
 * turn in each round where they are compared.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class SnapshotComparison {
    static final int SNAPSHOTS = 50;
    static final int CLONES = 1000;

    private static final int BUSY_CLONES = 100;
    private static final long CHANGED_BYTES = 1L << 30;
    private static final int PAGE = 10_000;

    /** A guest's own work; larger ones would fill the disk with copies. */
    private static final long LOAD_BYTES = 64L << 30;

    private final Bench bench;
    private final @Nullable Integer disks;
    private final @Nullable Long sizeBytes;
    private final List<SnapshotFigure> figures = new ArrayList<>();

    /**
     * @param disks how many clones, null: {@value #CLONES}
     * @param sizeBytes of each disk, null: the scenario's
     */
    SnapshotComparison(Bench bench, @Nullable Integer disks, @Nullable Long sizeBytes) {
        this.bench = bench;
        this.disks = disks;
        this.sizeBytes = sizeBytes;
    }

    List<SnapshotFigure> run(List<SnapshotScenario> scenarios) throws IOException {
        for (SnapshotScenario scenario : scenarios) {
            switch (scenario) {
                case CUT_64G, CUT_1T, CUT_4T -> cuts(scenario);
                case FIRST_WRITES -> firstWrites(scenario);
                case MANY -> manySnapshots(scenario);
                case CLONES -> clones(scenario);
                case DIFF -> diff(scenario);
            }
        }
        return List.copyOf(figures);
    }

    private long sizeBytes(SnapshotScenario scenario) {
        return sizeBytes == null ? scenario.sizeBytes() : sizeBytes;
    }

    private void figure(SnapshotScenario scenario, String name, String server, double value) {
        figures.add(new SnapshotFigure(scenario.label(), name, server, value));
        bench.progress()
                .accept(
                        String.format(
                                Locale.ROOT,
                                "%-13s %-26s %-6s %12.2f",
                                scenario.label(),
                                name,
                                server,
                                value));
    }

    /** A folder with an image whose tables are all there. */
    private Path mapped(SnapshotScenario scenario, String name) throws IOException {
        Path data = bench.folder().resolve(scenario.label() + '-' + name);
        Files.createDirectories(data.resolve("brick"));
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-o",
                        "preallocation=metadata",
                        image(data).toString(),
                        Long.toString(sizeBytes(scenario)))
                .runOk();
        return data;
    }

    private static Path image(Path data) {
        return data.resolve("brick").resolve(SnapshotServer.DISK + ".qcow2");
    }

    private SnapshotServer start(String name, Path data) throws IOException {
        return name.equals(Contender.QUOIN)
                ? SnapshotServer.quoin(bench, data)
                : SnapshotServer.qemu(bench, image(data));
    }

    private static final List<String> SERVERS = List.of(Contender.QUOIN, SnapshotServer.Qemu.NAME);

    private void cuts(SnapshotScenario scenario) throws IOException {
        for (String name : SERVERS) {
            Path data = mapped(scenario, name);
            try (SnapshotServer server = start(name, data);
                    LatencyLog load =
                            LatencyLog.start(
                                    bench,
                                    server.uri(SnapshotServer.DISK),
                                    Math.min(LOAD_BYTES, sizeBytes(scenario)))) {
                cuts(scenario, server, load);
            }
            delete(data);
        }
    }

    /** Of each snapshot: while it was made, and as long as that lasts, or longer, behind it. */
    private void cuts(SnapshotScenario scenario, SnapshotServer server, LatencyLog load)
            throws IOException {
        TimeUnit seconds = TimeUnit.SECONDS;
        sleep(seconds.toMillis(2));
        Stretch before = stretch(seconds.toMillis(bench.seconds()));
        List<Stretch> made = new ArrayList<>();
        List<Stretch> after = new ArrayList<>();
        List<Stretch> removed = new ArrayList<>();
        for (int round = 0; round < bench.rounds(); round++) {
            String snapshot = "s" + round;
            long begun = System.currentTimeMillis();
            server.create(snapshot);
            made.add(new Stretch(begun, System.currentTimeMillis()));
            after.add(stretch(seconds.toMillis(bench.seconds())));
            long begunRemoval = System.currentTimeMillis();
            server.remove(snapshot);
            removed.add(new Stretch(begunRemoval, System.currentTimeMillis()));
            sleep(500);
        }
        load.end();
        String name = server.name();
        figure(scenario, "create p50 ms", name, percentile(millis(made), 50));
        figure(scenario, "create p99 ms", name, percentile(millis(made), 99));
        figure(scenario, "remove p50 ms", name, percentile(millis(removed), 50));
        double[] pauses = made.stream().mapToDouble(load::worstMillis).toArray();
        double[] calm = after.stream().mapToDouble(load::worstMillis).toArray();
        figure(scenario, "worst write p50 ms", name, percentile(pauses, 50));
        figure(scenario, "worst write p99 ms", name, percentile(pauses, 99));
        figure(scenario, "calm worst p50 ms", name, percentile(calm, 50));
        figure(scenario, "calm worst p99 ms", name, percentile(calm, 99));
        double[] settling = made.stream().mapToDouble(load::iops).toArray();
        double[] settled = after.stream().mapToDouble(load::iops).toArray();
        figure(scenario, "IOPS without snapshot", name, load.iops(before));
        figure(scenario, "IOPS while made", name, percentile(settling, 50));
        figure(scenario, "IOPS behind", name, percentile(settled, 50));
    }

    private static double[] millis(List<Stretch> stretches) {
        return stretches.stream().mapToDouble(Stretch::millis).toArray();
    }

    /** Of the values as they are: the 99th of fewer than a hundred is the highest. */
    static double percentile(double[] values, int percent) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
        return sorted[Math.max(0, rank - 1)];
    }

    private static Stretch stretch(long millis) throws IOException {
        long from = System.currentTimeMillis();
        sleep(millis);
        return new Stretch(from, System.currentTimeMillis());
    }

    private void firstWrites(SnapshotScenario scenario) throws IOException {
        List<SnapshotServer> servers = new ArrayList<>();
        try {
            for (String name : SERVERS) {
                SnapshotServer server = start(name, mapped(scenario, name));
                servers.add(server);
                FioLoad.fill(bench, server.uri(SnapshotServer.DISK));
            }
            for (int round = 0; round <= bench.rounds(); round++) {
                for (SnapshotServer server : servers) {
                    double calm = randomIops(server, SnapshotServer.DISK, "randwrite");
                    server.create("s");
                    double first = randomIops(server, SnapshotServer.DISK, "randwrite");
                    server.remove("s");
                    if (round > 0) {
                        figure(scenario, "IOPS without snapshot", server.name(), calm);
                        figure(scenario, "IOPS of first writes", server.name(), first);
                    }
                }
            }
        } finally {
            servers.forEach(SnapshotServer::close);
        }
    }

    private double randomIops(SnapshotServer server, String disk, String pattern)
            throws IOException {
        try (FioLoad load =
                FioLoad.start(
                        bench,
                        List.of(server.uri(disk)),
                        List.of("--rw=" + pattern, "--iodepth=32"))) {
            FioLoad.Result result = load.await();
            if (result.errors() > 0) {
                throw new IOException("requests have failed: errors=" + result.errors());
            }
            return result.iops();
        }
    }

    /** Two disks of one service: one with snapshots under it, and one without. */
    private void manySnapshots(SnapshotScenario scenario) throws IOException {
        Path data = mapped(scenario, Contender.QUOIN);
        String plain = "plain";
        Files.copy(image(data), image(data).resolveSibling(plain + ".qcow2"));
        try (SnapshotServer server = start(Contender.QUOIN, data)) {
            FioLoad.fill(bench, server.uri(SnapshotServer.DISK));
            FioLoad.fill(bench, server.uri(plain));
            for (int i = 0; i < SNAPSHOTS; i++) {
                server.create("s" + i);
            }
            FioLoad.fill(bench, server.uri(SnapshotServer.DISK));
            for (int round = 0; round <= bench.rounds(); round++) {
                for (String pattern : List.of("randread", "randwrite")) {
                    double with = randomIops(server, SnapshotServer.DISK, pattern);
                    double without = randomIops(server, plain, pattern);
                    if (round > 0) {
                        figure(scenario, pattern + " IOPS, with", Contender.QUOIN, with);
                        figure(scenario, pattern + " IOPS, without", Contender.QUOIN, without);
                        figure(scenario, pattern + " ratio", Contender.QUOIN, with / without);
                    }
                }
            }
        }
    }

    private void clones(SnapshotScenario scenario) throws IOException {
        int count = disks == null ? CLONES : disks;
        List<String> names =
                IntStream.range(0, count).mapToObj(i -> String.format("vm-%04d", i)).toList();
        Path data = mapped(scenario, Contender.QUOIN);
        int busy = Math.min(BUSY_CLONES, count);
        try (DiskServer server =
                        DiskServer.quoin(
                                bench,
                                data,
                                Map.of(),
                                List.of(
                                        "--max-connections=" + 2 * BUSY_CLONES,
                                        "--max-connections-per-peer=" + 2 * BUSY_CLONES));
                ControlClient client =
                        ControlClient.connect(new DataFolder(data))
                                .orElseThrow(() -> new IOException("no service"))) {
            long begun = System.nanoTime();
            client.call(DiskClone.TYPE, new DiskClone.Request(SnapshotServer.DISK, names, null));
            figure(scenario, "seconds for all", Contender.QUOIN, secondsSince(begun));
            figure(scenario, "KiB each", Contender.QUOIN, allocatedKibibytes(data, names.size()));
            List<String> uris = names.subList(0, busy).stream().map(server::uri).toList();
            List<String> more =
                    List.of("--rw=randrw", "--iodepth=1", "--size=" + sizeBytes(scenario));
            try (FioLoad load = FioLoad.start(bench, uris, more)) {
                FioLoad.Result result = load.await();
                figure(scenario, "IOPS of the busy ones", Contender.QUOIN, result.iops());
                figure(
                        scenario,
                        "errors of the busy ones",
                        Contender.QUOIN,
                        (double) result.errors());
            }
            figure(scenario, "peak MiB", Contender.QUOIN, server.peakBytes() / (double) (1 << 20));
        }
        qemuClones(scenario, data, names);
    }

    /** A process each: there is no other way. */
    private void qemuClones(SnapshotScenario scenario, Path data, List<String> names)
            throws IOException {
        Path brick = data.resolve("brick");
        long begun = System.nanoTime();
        for (String name : names) {
            Files.delete(brick.resolve(name + ".qcow2"));
            Peer.QEMU_IMG
                    .command(
                            "create",
                            "-q",
                            "-f",
                            "qcow2",
                            "-F",
                            "qcow2",
                            "-b",
                            SnapshotServer.DISK + ".qcow2",
                            brick.resolve(name + ".qcow2").toString())
                    .runOk();
        }
        figure(scenario, "seconds for all", SnapshotServer.Qemu.NAME, secondsSince(begun));
        figure(
                scenario,
                "KiB each",
                SnapshotServer.Qemu.NAME,
                allocatedKibibytes(data, names.size()));
    }

    /** What the folder takes, without the template. */
    private static double allocatedKibibytes(Path data, int clones) {
        Path brick = data.resolve("brick");
        PeerResult all = PeerCommand.of(List.of("du", "-sk", brick.toString())).runOk();
        PeerResult one = PeerCommand.of(List.of("du", "-sk", image(data).toString())).runOk();
        return (kibibytes(all) - kibibytes(one)) / (double) clones;
    }

    private static long kibibytes(PeerResult du) {
        return Long.parseLong(du.stdout().split("\\s", 2)[0]);
    }

    private void diff(SnapshotScenario scenario) throws IOException {
        Path data = mapped(scenario, Contender.QUOIN);
        try (SnapshotServer server = start(Contender.QUOIN, data);
                ControlClient client =
                        ControlClient.connect(new DataFolder(data))
                                .orElseThrow(() -> new IOException("no service"))) {
            server.create("a");
            FioLoad.change(
                    bench, server.uri(SnapshotServer.DISK), sizeBytes(scenario), CHANGED_BYTES);
            server.create("b");
            for (int round = 0; round <= bench.rounds(); round++) {
                long begun = System.nanoTime();
                long bytes = differing(client);
                double seconds = secondsSince(begun);
                if (round > 0) {
                    figure(scenario, "seconds", Contender.QUOIN, seconds);
                    figure(
                            scenario,
                            "MiB that differ",
                            Contender.QUOIN,
                            bytes / (double) (1 << 20));
                }
            }
        }
    }

    private static long differing(ControlClient client) {
        long bytes = 0;
        Long start = 0L;
        while (start != null) {
            SnapshotDiff.Result page =
                    client.call(
                            SnapshotDiff.TYPE,
                            new SnapshotDiff.Request(
                                    SnapshotServer.DISK, "a", "b", start, (long) PAGE));
            bytes += page.extents().stream().mapToLong(DiffExtent::length).sum();
            start = page.next();
        }
        return bytes;
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    private static void delete(Path data) throws IOException {
        Files.delete(image(data));
    }

    private static void sleep(long millis) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
