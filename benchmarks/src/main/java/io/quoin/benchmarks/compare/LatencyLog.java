package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.collections.LongArrayList;

/**
 * fio that writes 4 KiB at random places, 32 at once, and keeps the latency of each write, so that
 * what happened meanwhile can be told by its time.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class LatencyLog implements AutoCloseable {
    private static final int LONGEST_SECONDS = 3600;
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final PeerProcess fio;
    private final Path log;
    private final LongArrayList millis = new LongArrayList();
    private final LongArrayList nanos = new LongArrayList();

    private LatencyLog(PeerProcess fio, Path log) {
        this.fio = fio;
        this.log = log;
    }

    static LatencyLog start(Bench bench, String uri, long sizeBytes) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--ioengine=nbd",
                                "--thread",
                                "--rw=randwrite",
                                "--bs=4k",
                                "--iodepth=32",
                                "--norandommap",
                                "--randrepeat=0",
                                "--time_based",
                                "--write_lat_log=latency",
                                "--log_unix_epoch=1",
                                "--name=load"));
        arguments.add("--runtime=" + LONGEST_SECONDS);
        arguments.add("--size=" + sizeBytes);
        arguments.add("--uri=" + uri);
        return new LatencyLog(
                Peer.FIO.command(arguments).directory(bench.folder()).start(),
                bench.folder().resolve("latency_clat.1.log"));
    }

    /** Ends the load, and reads what it has kept. */
    void end() throws IOException {
        if (!fio.alive()) {
            throw new IOException("fio has ended: " + fio.stderr());
        }
        fio.terminate();
        fio.awaitExit(LIMIT);
        try (BufferedReader lines = Files.newBufferedReader(log)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] fields = line.split(", *", 3);
                millis.addLong(Long.parseLong(fields[0]));
                nanos.addLong(Long.parseLong(fields[1]));
            }
        }
    }

    /** Writes that ended in a stretch of time, each second. */
    double iops(Stretch stretch) {
        return latencies(stretch).length * 1000.0 / stretch.millis();
    }

    /** The longest of them in milliseconds; the length of the stretch where none ended in it. */
    double worstMillis(Stretch stretch) {
        return Arrays.stream(latencies(stretch))
                .mapToDouble(latency -> latency / 1e6)
                .max()
                .orElse((double) stretch.millis());
    }

    private long[] latencies(Stretch stretch) {
        LongArrayList found = new LongArrayList();
        for (int i = 0; i < millis.size(); i++) {
            long at = millis.getLong(i);
            if (at >= stretch.from() && at < stretch.to()) {
                found.addLong(nanos.getLong(i));
            }
        }
        return found.toLongArray();
    }

    @Override
    public void close() {
        fio.close();
    }

    /** Of the clock, in milliseconds since 1970. */
    record Stretch(long from, long to) {
        long millis() {
            return Math.max(1, to - from);
        }
    }
}
