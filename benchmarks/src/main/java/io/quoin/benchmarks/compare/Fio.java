package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * fio's nbd engine as the client, and what its JSON says.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class Fio {
    private static final Duration BESIDES = Duration.ofMinutes(5);

    private final Path folder;
    private final long sizeBytes;
    private final int seconds;

    Fio(Path folder, long sizeBytes, int seconds) {
        this.folder = folder;
        this.sizeBytes = sizeBytes;
        this.seconds = seconds;
    }

    /** Writes the whole disk once, in order: the history that every file gets. */
    void fill(String uri) throws IOException {
        run(uri, false, List.of("--rw=write", "--bs=64k", "--iodepth=16", "--end_fsync=1"));
    }

    /** Empties the whole disk. */
    void trim(String uri) throws IOException {
        run(uri, false, List.of("--rw=trim", "--bs=1M", "--iodepth=4"));
    }

    Totals row(String uri, Row row) throws IOException {
        return run(uri, row.timed(), row.arguments());
    }

    private Totals run(String uri, boolean timed, List<String> more) throws IOException {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--name=row",
                                "--ioengine=nbd",
                                "--uri=" + uri,
                                "--size=" + sizeBytes,
                                "--thread",
                                "--group_reporting",
                                "--output-format=json"));
        if (timed) {
            arguments.addAll(List.of("--time_based", "--runtime=" + seconds));
        }
        arguments.addAll(more);
        PeerResult result =
                Peer.FIO
                        .command(arguments)
                        .directory(folder)
                        .deadline(BESIDES.plusSeconds(seconds))
                        .run();
        if (result.exitCode() != 0) {
            throw new IOException("fio failed: " + result);
        }
        return totals(result.stdout());
    }

    /** The sums over reads and writes of fio's first (and with group reporting only) job. */
    static Totals totals(String output) throws IOException {
        JsonNode job =
                new ObjectMapper()
                        .readTree(output.substring(output.indexOf('{')))
                        .get("jobs")
                        .get(0);
        double iops = 0;
        double bytesPerSecond = 0;
        long requests = 0;
        double p99Micros = 0;
        for (String direction : List.of("read", "write", "trim")) {
            JsonNode part = job.get(direction);
            iops += part.get("iops").asDouble();
            bytesPerSecond += part.get("bw_bytes").asDouble();
            requests += part.get("total_ios").asLong();
            JsonNode p99 = part.at("/clat_ns/percentile/99.000000");
            p99Micros = Math.max(p99Micros, p99.asDouble(0) / 1000);
        }
        return new Totals(iops, bytesPerSecond, requests, p99Micros);
    }

    /** What the client saw. */
    record Totals(double iops, double bytesPerSecond, long requests, double p99Micros) {
        double figure(Row.Unit unit) {
            return unit == Row.Unit.IOPS ? iops : bytesPerSecond / 1e6;
        }
    }
}
