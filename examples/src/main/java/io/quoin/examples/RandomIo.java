package io.quoin.examples;

import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Opens a disk of an embedded volume and reads and writes 4 KiB blocks at random places, so many at
 * a time, and says how long they took:
 *
 * <pre>
 *   RandomIo DATA_FOLDER DISK [REQUESTS [DEPTH [READ_PERCENT]]]
 * </pre>
 *
 * <p>The disk is made, of 64 MiB, if it is not there. Its content is overwritten.
 */
public final class RandomIo {
    private static final int BLOCK = 4096;
    private static final long NEW_DISK_BYTES = 64L << 20;
    private static final long LATENCY_NANOS_MAX = TimeUnit.MINUTES.toNanos(1);
    private static final int DIGITS = 3;

    /**
     * What to do.
     *
     * @param requests how many in all
     * @param depth how many at a time
     * @param readPercent how many of a hundred are reads
     * @param seed of the random places
     */
    public record Load(int requests, int depth, int readPercent, long seed) {}

    private final Disk disk;
    private final Load load;
    private final LongSupplier clock;
    // A future that is complete already runs what is chained to it on the thread that chains it.
    private final Histogram readNanos = new ConcurrentHistogram(LATENCY_NANOS_MAX, DIGITS);
    private final Histogram writeNanos = new ConcurrentHistogram(LATENCY_NANOS_MAX, DIGITS);

    /**
     * @param clock in nanoseconds, as {@link System#nanoTime}
     */
    public RandomIo(Disk disk, Load load, LongSupplier clock) {
        this.disk = disk;
        this.load = load;
        this.clock = clock;
    }

    /** See the class. */
    public static void main(String[] args) {
        if (args.length < 2) {
            System.err.println(
                    "usage: RandomIo DATA_FOLDER DISK [REQUESTS [DEPTH [READ_PERCENT]]]");
            System.exit(2);
        }
        Load load = new Load(number(args, 2, 100_000), number(args, 3, 32), number(args, 4, 70), 1);
        try (Volume volume = Volumes.open(Path.of(args[0]))) {
            if (!volume.disks().contains(args[1])) {
                volume.create(args[1], NEW_DISK_BYTES);
            }
            try (Disk disk = volume.open(args[1])) {
                new RandomIo(disk, load, System::nanoTime).run().print(System.out);
            }
        } catch (BlockException e) {
            System.err.println("RandomIo: " + e.getMessage());
            System.exit(1);
        }
    }

    private static int number(String[] args, int index, int otherwise) {
        return args.length > index ? Integer.parseInt(args[index]) : otherwise;
    }

    /**
     * Does it, and flushes at the end.
     *
     * @throws BlockException if a request failed
     */
    public Result run() {
        long begin = clock.getAsLong();
        // Each lane has a buffer and one request at a time: as one ends, the next begins.
        int laneCount = Math.min(load.depth(), load.requests());
        List<CompletableFuture<Void>> lanes = new ArrayList<>();
        for (int i = 0; i < laneCount; i++) {
            int share = load.requests() / laneCount + (i < load.requests() % laneCount ? 1 : 0);
            Lane lane = new Lane(share, load.seed() + i);
            lanes.add(lane.done);
            lane.next();
        }
        disk.await(CompletableFuture.allOf(lanes.toArray(CompletableFuture[]::new)));
        disk.flush();
        return new Result(readNanos, writeNanos, clock.getAsLong() - begin);
    }

    /**
     * A chain of requests, one after the other. What is chained to a request's future runs on the
     * disk's thread, so it is kept short.
     */
    private final class Lane {
        private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final Random random;
        private int left;

        Lane(int requests, long seed) {
            left = requests;
            random = new Random(seed);
        }

        void next() {
            if (left-- == 0) {
                done.complete(null);
                return;
            }
            long offset = (long) random.nextInt((int) (disk.sizeBytes() / BLOCK)) * BLOCK;
            boolean isRead = random.nextInt(100) < load.readPercent();
            long begin = clock.getAsLong();
            CompletableFuture<Void> request =
                    isRead
                            ? disk.readAsync(offset, block)
                            : disk.writeAsync(offset, block.putLong(0, offset), IoFlags.NONE);
            // Failures go to the lane's own future.
            var unused =
                    request.thenRun(() -> ended(isRead ? readNanos : writeNanos, begin))
                            .exceptionally(this::fail);
        }

        private void ended(Histogram histogram, long begin) {
            histogram.recordValue(Math.min(clock.getAsLong() - begin, LATENCY_NANOS_MAX));
            next();
        }

        private @Nullable Void fail(Throwable failure) {
            done.completeExceptionally(failure);
            return null;
        }
    }

    /**
     * How it went.
     *
     * @param readNanos latencies of the reads
     * @param writeNanos latencies of the writes
     * @param elapsedNanos from the first request to the last flush
     */
    public record Result(Histogram readNanos, Histogram writeNanos, long elapsedNanos) {
        /** As a table, in microseconds. */
        public void print(PrintStream out) {
            double seconds = (double) elapsedNanos / TimeUnit.SECONDS.toNanos(1);
            long count = readNanos.getTotalCount() + writeNanos.getTotalCount();
            out.printf(Locale.ROOT, "%d requests, %.0f a second%n", count, count / seconds);
            out.println("            count     p50     p90     p99   p99.9     max  (us)");
            print(out, "read", readNanos);
            print(out, "write", writeNanos);
        }

        private static void print(PrintStream out, String name, Histogram histogram) {
            out.printf(
                    Locale.ROOT,
                    "%-6s %10d %7.1f %7.1f %7.1f %7.1f %7.1f%n",
                    name,
                    histogram.getTotalCount(),
                    micros(histogram.getValueAtPercentile(50)),
                    micros(histogram.getValueAtPercentile(90)),
                    micros(histogram.getValueAtPercentile(99)),
                    micros(histogram.getValueAtPercentile(99.9)),
                    micros(histogram.getMaxValue()));
        }

        private static double micros(long nanos) {
            return nanos / 1000.0;
        }
    }
}
