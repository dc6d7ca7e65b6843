package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * fio with one connection to each of any number of exports, in one process. Requests that fail are
 * counted and do not end it.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class FioLoad implements AutoCloseable {
    private static final Duration BESIDES = Duration.ofMinutes(10);

    private final PeerProcess process;
    private final int seconds;

    private FioLoad(PeerProcess process, int seconds) {
        this.process = process;
        this.seconds = seconds;
    }

    /** Requests of 4 KiB at random places for a time. */
    static FioLoad start(Bench bench, List<String> uris, List<String> more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of("--bs=4k", "--norandommap", "--randrepeat=0", "--time_based"));
        arguments.add("--runtime=" + bench.seconds());
        arguments.addAll(more);
        return start(bench, bench.seconds(), uris, arguments);
    }

    /** Writes 4 KiB at each multiple of the stride, once. */
    static void scatter(Bench bench, String uri, long sizeBytes, long strideBytes)
            throws IOException {
        int block = 4096;
        List<String> arguments =
                List.of(
                        "--rw=write:" + (strideBytes - block),
                        "--bs=" + block,
                        "--iodepth=64",
                        "--end_fsync=1",
                        "--size=" + sizeBytes,
                        "--io_size=" + sizeBytes / strideBytes * block);
        once(bench, uri, arguments);
    }

    /** Writes the whole disk, once and in order. */
    static void fill(Bench bench, String uri) throws IOException {
        once(bench, uri, List.of("--rw=write", "--bs=64k", "--iodepth=16", "--end_fsync=1"));
    }

    /** Writes so many bytes at random places of 64 KiB, none twice. */
    static void change(Bench bench, String uri, long sizeBytes, long changedBytes)
            throws IOException {
        List<String> arguments =
                List.of(
                        "--rw=randwrite",
                        "--bs=64k",
                        "--iodepth=16",
                        "--end_fsync=1",
                        "--size=" + sizeBytes,
                        "--io_size=" + Math.min(sizeBytes, changedBytes));
        once(bench, uri, arguments);
    }

    private static void once(Bench bench, String uri, List<String> arguments) throws IOException {
        try (FioLoad load = start(bench, 0, List.of(uri), arguments)) {
            Result result = load.await();
            if (result.errors() > 0) {
                throw new IOException("fio could not fill the disk: errors=" + result.errors());
            }
        }
    }

    private static FioLoad start(
            Bench bench, int seconds, List<String> uris, List<String> arguments) {
        List<String> argv =
                new ArrayList<>(
                        List.of(
                                "--ioengine=nbd",
                                "--thread",
                                "--group_reporting",
                                "--continue_on_error=all",
                                "--output-format=json"));
        argv.addAll(arguments);
        for (int i = 0; i < uris.size(); i++) {
            argv.add("--name=load" + i);
            argv.add("--uri=" + uris.get(i));
        }
        return new FioLoad(Peer.FIO.command(argv).directory(bench.folder()).start(), seconds);
    }

    boolean alive() {
        return process.alive();
    }

    Result await() throws IOException {
        PeerResult result = process.awaitExit(BESIDES.plusSeconds(seconds));
        if (result.exitCode() != 0) {
            throw new IOException("fio failed: " + result);
        }
        return parse(result.stdout());
    }

    /** The sums over reads and writes of fio's one group; the worse of their latencies. */
    static Result parse(String output) throws IOException {
        int start = output.indexOf('{');
        if (start < 0) {
            throw new IOException("fio printed no JSON: output=" + output);
        }
        double iops = 0;
        double p50Micros = 0;
        double p99Micros = 0;
        long errors = 0;
        for (JsonNode job : new ObjectMapper().readTree(output.substring(start)).path("jobs")) {
            errors +=
                    Math.max(
                            job.path("total_err").asLong(), job.path("error").asInt() == 0 ? 0 : 1);
            for (String direction : List.of("read", "write")) {
                JsonNode part = job.path(direction);
                iops += part.path("iops").asDouble();
                JsonNode percentiles = part.at("/clat_ns/percentile");
                p50Micros = Math.max(p50Micros, percentiles.path("50.000000").asDouble() / 1000);
                p99Micros = Math.max(p99Micros, percentiles.path("99.000000").asDouble() / 1000);
            }
        }
        return new Result(iops, p50Micros, p99Micros, errors);
    }

    @Override
    public void close() {
        process.close();
    }

    /** What the client saw. */
    record Result(double iops, double p50Micros, double p99Micros, long errors) {}
}
