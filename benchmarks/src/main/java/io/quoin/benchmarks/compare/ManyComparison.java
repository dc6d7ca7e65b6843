package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What many open disks cost, and a large one: the scenarios of {@link ManyScenario}. Quoin runs
 * with its own default for {@code --memory}.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class ManyComparison {
    /** What the load is called that has one disk of many. */
    static final String ONE = "one";

    /** Quoin's slices are of this size too. */
    static final String SMALL_ENTRIES = "qemu-nbd, 4 KiB entries";

    private static final int CONNECTION_DEPTH_MAX = 256;
    private static final int LARGE_DEPTH = 32;
    private static final int SETTLE_TRIES = 100;
    private static final long POLL_MILLIS = 500;
    private static final Duration QEMU_IMG_LIMIT = Duration.ofMinutes(2);
    private static final long SMALLEST_CACHE_BYTES = 1 << 20;

    private final Bench bench;
    private final @Nullable Integer disks;
    private final @Nullable Long sizeBytes;
    private final long strideBytes;

    /**
     * @param disks how many, null: as many as the scenario has
     * @param sizeBytes of each disk, null: the scenario's
     * @param strideBytes from one piece of data to the next, of what is filled beforehand
     */
    ManyComparison(
            Bench bench, @Nullable Integer disks, @Nullable Long sizeBytes, long strideBytes) {
        this.bench = bench;
        this.disks = disks;
        this.sizeBytes = sizeBytes;
        this.strideBytes = strideBytes;
    }

    List<ManyRun> run(List<ManyScenario> scenarios) throws IOException {
        List<ManyRun> runs = new ArrayList<>();
        for (ManyScenario scenario : scenarios) {
            switch (scenario) {
                case disks -> disks(runs);
                case overlays -> overlays(runs);
                case large -> large(runs);
            }
        }
        return runs;
    }

    private int count(ManyScenario scenario) {
        return disks == null ? scenario.count() : disks;
    }

    private long sizeBytes(ManyScenario scenario) {
        return sizeBytes == null ? scenario.sizeBytes() : sizeBytes;
    }

    /** One disk more than there are many of is the one that works alone. */
    private void disks(List<ManyRun> runs) throws IOException {
        ManyScenario scenario = ManyScenario.disks;
        int count = count(scenario);
        Map<String, Long> sizes = new TreeMap<>();
        for (int i = 0; i <= count; i++) {
            sizes.put("disk" + i, sizeBytes(scenario));
        }
        Path data = bench.folder().resolve("disks");
        try (DiskServer server = DiskServer.quoin(bench, data, sizes, places(count))) {
            oneAndMany(new Beside(scenario, server, data, "disk", "randwrite"), runs);
        }
    }

    private void overlays(List<ManyRun> runs) throws IOException {
        ManyScenario scenario = ManyScenario.overlays;
        int count = count(scenario);
        long size = sizeBytes(scenario);
        Path data = bench.folder().resolve("overlays");
        try (DiskServer server = DiskServer.quoin(bench, data, Map.of("base", size), List.of())) {
            FioLoad.scatter(bench, server.uri("base"), size, strideBytes);
        }
        Path brick = data.resolve("brick");
        for (int i = 0; i <= count; i++) {
            String image = brick.resolve("overlay" + i + ".qcow2").toString();
            Peer.QEMU_IMG
                    .command(
                            "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", image)
                    .deadline(QEMU_IMG_LIMIT)
                    .runOk();
        }
        try (DiskServer server = DiskServer.quoin(bench, data, Map.of(), places(count))) {
            oneAndMany(new Beside(scenario, server, data, "overlay", "randrw"), runs);
        }
    }

    /** Places for all connections: by default one client may have 150 of them. */
    private static List<String> places(int count) {
        int places = Math.max(200, 2 * count);
        return List.of("--max-connections=" + places, "--max-connections-per-peer=" + places);
    }

    /** A scenario in which one disk works alone, and many beside one another. */
    private record Beside(
            ManyScenario scenario, DiskServer server, Path data, String prefix, String pattern) {}

    /** As many requests are under way in both loads. */
    private void oneAndMany(Beside beside, List<ManyRun> runs) throws IOException {
        int count = count(beside.scenario());
        List<String> many = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            many.add(beside.server().uri(beside.prefix() + i));
        }
        List<String> one = List.of(beside.server().uri(beside.prefix() + 0));
        List<String> turns = new ArrayList<>(List.of(ONE, manyName(count)));
        for (int round = 0; round <= bench.rounds(); round++) {
            for (String load : turns) {
                boolean isOne = load.equals(ONE);
                int depth = isOne ? Math.min(count, CONNECTION_DEPTH_MAX) : 1;
                List<String> more =
                        List.of(
                                "--rw=" + beside.pattern(),
                                "--iodepth=" + depth,
                                "--size=" + sizeBytes(beside.scenario()));
                ManyRun run =
                        load(
                                beside.scenario(),
                                load,
                                beside.server(),
                                beside.data(),
                                round,
                                isOne ? one : many,
                                more);
                keep(run, runs);
                awaitClosed(beside);
            }
            Collections.rotate(turns, 1);
        }
    }

    static String manyName(int count) {
        return count + " at once";
    }

    /** The disks of the load before are closed, and their memory is free, when the next begins. */
    private void awaitClosed(Beside beside) throws IOException {
        for (int i = 0; beside.server().alive() && i < SETTLE_TRIES; i++) {
            if (QuoinStatus.of(beside.data()).imageFiles() == 0) {
                return;
            }
            sleep(100);
        }
    }

    private void large(List<ManyRun> runs) throws IOException {
        ManyScenario scenario = ManyScenario.large;
        long size = sizeBytes(scenario);
        Path data = bench.folder().resolve("large");
        try (DiskServer server = DiskServer.quoin(bench, data, Map.of("large", size), List.of())) {
            FioLoad.scatter(bench, server.uri("large"), size, strideBytes);
        }
        List<String> more =
                List.of(
                        "--rw=randread",
                        "--iodepth=" + LARGE_DEPTH,
                        "--size=" + size,
                        "--blockalign=" + strideBytes,
                        "--ramp_time=" + bench.seconds());
        Path image = data.resolve("brick").resolve("large.qcow2");
        List<String> turns =
                new ArrayList<>(List.of(Contender.QUOIN, Contender.QEMU_NBD, SMALL_ENTRIES));
        long cacheBytes = SMALLEST_CACHE_BYTES;
        for (int round = 0; round <= bench.rounds(); round++) {
            for (String load : turns) {
                try (DiskServer server =
                        load.equals(Contender.QUOIN)
                                ? DiskServer.quoin(bench, data, Map.of(), List.of())
                                : DiskServer.qemuNbd(
                                        bench, "large", imageOptions(load, image, cacheBytes))) {
                    List<String> uris = List.of(server.uri("large"));
                    ManyRun run = load(scenario, load, server, data, round, uris, more);
                    keep(run, runs);
                    // Quoin comes first in the round that is not counted.
                    cacheBytes = Math.max(cacheBytes, run.status().cacheBytes());
                }
            }
            Collections.rotate(turns, 1);
        }
    }

    /** As much cache as Quoin had of its memory for this disk. */
    private static List<String> imageOptions(String load, Path image, long cacheBytes) {
        String entries = load.equals(SMALL_ENTRIES) ? ",l2-cache-entry-size=4096" : "";
        return List.of(
                "--read-only",
                "--image-opts",
                "driver=qcow2,l2-cache-size=%d%s,file.driver=file,file.filename=%s"
                        .formatted(cacheBytes, entries, image));
    }

    private ManyRun load(
            ManyScenario scenario,
            String load,
            DiskServer server,
            Path data,
            int round,
            List<String> uris,
            List<String> more)
            throws IOException {
        try (FioLoad fio = FioLoad.start(bench, uris, more)) {
            QuoinStatus status = QuoinStatus.NONE;
            boolean isQuoin = server.name().equals(Contender.QUOIN);
            while (fio.alive()) {
                if (isQuoin && server.alive()) {
                    status = status.fuller(QuoinStatus.of(data));
                }
                sleep(POLL_MILLIS);
            }
            FioLoad.Result result = fio.await();
            return new ManyRun(
                    scenario.name(),
                    load,
                    server.name(),
                    round,
                    result,
                    server.peakBytes(),
                    status,
                    server.alive());
        } catch (IOException e) {
            throw new IOException(
                    "%s, %s: server up=%s, its log=%s"
                            .formatted(scenario, load, server.alive(), server.complaints()),
                    e);
        }
    }

    private void keep(ManyRun run, List<ManyRun> runs) {
        bench.progress()
                .accept(
                        String.format(
                                Locale.ROOT,
                                "round %d/%d  %-10s %-24s %10.0f IOPS %6d errors %6d MiB%s",
                                run.round(),
                                bench.rounds(),
                                run.scenario(),
                                run.load(),
                                run.iops(),
                                run.result().errors(),
                                run.peakBytes() >> 20,
                                run.isUp() ? "" : "  SERVER ENDED"));
        if (run.round() > 0) {
            runs.add(run);
        }
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
