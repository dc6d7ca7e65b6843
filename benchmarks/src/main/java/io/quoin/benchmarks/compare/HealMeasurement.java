package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.PeerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a brick that has missed writes costs: it is killed, most of the disk is written, it is
 * started again and healed beside a guest that writes at a steady rate.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class HealMeasurement {
    private static final int BRICK = 2;
    private static final Duration HEAL_LIMIT = Duration.ofMinutes(30);

    /** Some guests' rate, of which the machine can serve several times as many. */
    private static final List<String> GUEST =
            List.of("--rw=randwrite", "--iodepth=4", "--rate_iops=500");

    private final Bench bench;
    private final long missedBytes;

    HealMeasurement(Bench bench, long missedBytes) {
        this.bench = bench;
        this.missedBytes = missedBytes;
    }

    /**
     * What was found.
     *
     * @param missedMebibytes what was written while the brick was away
     * @param healSeconds from its start to the end of its heal
     * @param brickStartMillis until it serves
     * @param brickPeakMebibytes the most memory that was resident
     */
    record Found(
            long missedMebibytes,
            double healSeconds,
            double mebibytesPerSecond,
            double guestAloneP99Micros,
            double guestBesideP99Micros,
            long guestErrors,
            double brickStartMillis,
            long brickPeakMebibytes) {
        String table() {
            return Medians.format(
                    "healed: %d MiB in %.1f s, %.0f MiB/s%n"
                            + "guest, 4 KiB random writes at 500 IOPS, p99: %.0f us alone, %.0f us"
                            + " beside the heal, errors %d%n"
                            + "brick: served after %.0f ms, at most %d MiB resident%n",
                    missedMebibytes,
                    healSeconds,
                    mebibytesPerSecond,
                    guestAloneP99Micros,
                    guestBesideP99Micros,
                    guestErrors,
                    brickStartMillis,
                    brickPeakMebibytes);
        }

        String json() throws JsonProcessingException {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
        }
    }

    Found run() throws IOException {
        Path folder = Files.createDirectory(bench.folder().resolve("heal"));
        Path socket = bench.sockets().resolve("heal.sock");
        long sizeBytes = missedBytes + (missedBytes >> 2);
        try (QuoinReplica replica = QuoinReplica.start(bench.quoin(), folder, socket, sizeBytes)) {
            List<String> uris = List.of(replica.contender().uri());
            FioLoad.fill(bench, uris.get(0));
            guest(uris); // warms up
            FioLoad.Result alone = guest(uris);
            bench.progress().accept("guest alone: p99 " + alone.p99Micros() + " us");
            replica.kill(BRICK);
            FioLoad.change(bench, uris.get(0), sizeBytes, missedBytes);
            bench.progress().accept("missed: " + (missedBytes >> 20) + " MiB");
            return heal(replica, uris, alone);
        }
    }

    private Found heal(QuoinReplica replica, List<String> uris, FioLoad.Result alone)
            throws IOException {
        long begun = System.nanoTime();
        PeerProcess brick = replica.restart(BRICK);
        double startMillis = (System.nanoTime() - begun) / 1e6;
        try (FioLoad load = FioLoad.start(bench, uris, GUEST)) {
            awaitHealed(replica, begun);
            double seconds = (System.nanoTime() - begun) / 1e9;
            bench.progress().accept(Medians.format("healed after %.1f s", seconds));
            long peakBytes =
                    ProcessUsage.peakBytes(
                            Files.readString(
                                    Path.of("/proc", Long.toString(brick.pid()), "status")));
            FioLoad.Result beside = load.await();
            return new Found(
                    missedBytes >> 20,
                    seconds,
                    (missedBytes >> 20) / seconds,
                    alone.p99Micros(),
                    beside.p99Micros(),
                    alone.errors() + beside.errors(),
                    startMillis,
                    peakBytes >> 20);
        }
    }

    /** One command ends without the brick where that had not been taken in again by then. */
    private static void awaitHealed(QuoinReplica replica, long begunNanos) throws IOException {
        List<String> heal = List.of("volume", "heal", QuoinReplica.VOLUME, "--output", "json");
        while (true) {
            JsonNode result =
                    new ObjectMapper()
                            .readTree(replica.command(heal).deadline(HEAL_LIMIT).runOk().stdout());
            if (result.path("files").asLong() > 0
                    && result.path("healed").equals(result.path("files"))) {
                return;
            }
            if (System.nanoTime() - begunNanos > HEAL_LIMIT.toNanos()) {
                throw new IOException("brick was not healed: " + result);
            }
        }
    }

    private FioLoad.Result guest(List<String> uris) throws IOException {
        try (FioLoad load = FioLoad.start(bench, uris, GUEST)) {
            return load.await();
        }
    }
}
