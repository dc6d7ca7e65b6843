package io.quoin.management.e2e;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.Semaphore;

/** Changes a stamped disk over two connections until the server dies. */
final class StampedWriter extends Thread {
    private final NbdUri uri;
    private final Random random;
    private final StampedLoad load;
    private final Semaphore batches;
    private String end = "";

    StampedWriter(NbdUri uri, StampedDisk disk, long seed, long firstStamp, Semaphore batches) {
        super("stamped-writer");
        this.uri = uri;
        this.random = new Random(seed);
        this.load = new StampedLoad(disk, random, firstStamp, false);
        this.batches = batches;
        setDaemon(true);
    }

    @Override
    public void run() {
        try (NbdConnection first = NbdConnection.open(uri);
                NbdConnection second = NbdConnection.open(uri)) {
            while (true) {
                load.batch(random.nextBoolean() ? first : second);
                batches.release();
                if (random.nextInt(3) == 0) {
                    load.flush(random.nextBoolean() ? first : second);
                }
            }
        } catch (IOException serverDied) {
            end = String.valueOf(serverDied.getMessage());
        }
    }

    long flushes() {
        return load.flushes();
    }

    long lastStamp() {
        return load.lastStamp();
    }

    /** How it ended: the error that the server's death looked like. */
    String end() {
        return end;
    }
}
