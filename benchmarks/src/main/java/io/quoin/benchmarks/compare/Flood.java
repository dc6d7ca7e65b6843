package io.quoin.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The process that floods: clients that all do one thing to one disk until standard input ends.
 * Prints {@code flooding} once each client has begun, and at the end how often the thing was done
 * and how often a connection was lost.
 *
 * <p>Threading: a thread for each client; the main one waits.
 */
public final class Flood {
    static final String BEGUN = "flooding";

    private static final int STATUS_DEPTH = 16;
    private static final int OPTION_ROUNDS = 16;
    private static final int OPTION_TURNS = 100;
    private static final int READS = 64;
    private static final int READ_BYTES = 32 << 20;
    private static final int WRITES = 64;
    private static final int WRITE_BYTES = 4096;
    private static final long STATUS_BYTES = 1L << 31;
    private static final int LOST_PAUSE_MILLIS = 1;

    private final FloodKind kind;
    private final Path socket;
    private final String export;
    private final CountDownLatch begun;
    private final LongAdder done = new LongAdder();
    private final LongAdder lost = new LongAdder();

    private Flood(FloodKind kind, Path socket, String export, int clients) {
        this.kind = kind;
        this.socket = socket;
        this.export = export;
        begun = new CountDownLatch(clients);
    }

    /** Arguments: kind, socket, export, number of clients. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        FloodKind kind =
                FloodKind.of(arguments[0])
                        .orElseThrow(() -> new IOException("no such flood: " + arguments[0]));
        int clients = Integer.parseInt(arguments[3]);
        Flood flood = new Flood(kind, Path.of(arguments[1]), arguments[2], clients);
        for (int i = 0; i < clients; i++) {
            int seed = i;
            Thread client = new Thread(() -> flood.client(seed), "client-" + i);
            client.setDaemon(true);
            client.start();
        }
        flood.begun.await();
        System.out.println(BEGUN);
        while (System.in.read() >= 0) {
            // Whatever comes is no end.
        }
        System.out.println("done=" + flood.done.sum() + " lost=" + flood.lost.sum());
    }

    private void client(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean isFirst = true;
        while (true) {
            try (FloodClient client = FloodClient.connect(socket)) {
                if (isFirst) {
                    begun.countDown();
                    isFirst = false;
                }
                act(client, random);
            } catch (IOException e) {
                lost.increment();
                pause(LOST_PAUSE_MILLIS);
            }
        }
    }

    private void act(FloodClient client, SplittableRandom random) throws IOException {
        switch (kind) {
            case BLOCK_STATUS -> blockStatus(client);
            case OPTIONS -> options(client);
            case CONNECTIONS -> done.increment();
            case READS -> reads(client);
            case WRITES -> writes(client, random);
        }
    }

    private void blockStatus(FloodClient client) throws IOException {
        client.greet();
        long sizeBytes = client.enter(export, true);
        long offset = 0;
        while (true) {
            for (int i = 0; i < STATUS_DEPTH; i++) {
                long length = Math.min(STATUS_BYTES, sizeBytes - offset);
                client.request(FloodClient.CMD_BLOCK_STATUS, offset, (int) length);
                offset = (offset + length) % sizeBytes;
            }
            client.send();
            for (int i = 0; i < STATUS_DEPTH; i++) {
                client.awaitReply();
                done.increment();
            }
        }
    }

    /** A server may allow only so many options to a connection. */
    private void options(FloodClient client) throws IOException {
        client.greet();
        for (int turn = 0; turn < OPTION_TURNS; turn++) {
            for (int i = 0; i < OPTION_ROUNDS; i++) {
                client.info(export);
                client.option(FloodClient.OPT_LIST, new byte[0]);
                client.option(FloodClient.OPT_UNKNOWN, new byte[0]);
            }
            client.send();
            for (int i = 0; i < 3 * OPTION_ROUNDS; i++) {
                client.awaitOption();
                done.increment();
            }
        }
    }

    private void reads(FloodClient client) throws IOException {
        client.greet();
        long pieces = client.enter(export, false) / READ_BYTES;
        for (int i = 0; i < READS; i++) {
            client.request(FloodClient.CMD_READ, i % pieces * READ_BYTES, READ_BYTES);
            done.increment();
        }
        client.send();
        pause(TimeUnit.SECONDS.toMillis(1));
    }

    private void writes(FloodClient client, SplittableRandom random) throws IOException {
        client.greet();
        long blocks = client.enter(export, false) / WRITE_BYTES;
        while (true) {
            for (int i = 0; i < WRITES; i++) {
                long offset = random.nextLong(blocks) * WRITE_BYTES;
                client.request(FloodClient.CMD_WRITE, offset, WRITE_BYTES);
            }
            client.send();
            for (int i = 0; i < WRITES; i++) {
                client.awaitReply();
                done.increment();
            }
        }
    }

    private static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
