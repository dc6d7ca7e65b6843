package io.quoin.management.e2e;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Changes and reads a stamped disk for as long as it is not told otherwise, and connects anew
 * whenever its connections end. Each read is held against what was acknowledged, and after a
 * connection has ended the whole disk against what must have survived.
 */
final class SteadyGuest extends Thread {
    private static final long RETRY_MILLIS = 50;
    private static final long REST_MILLIS = 2;

    private final NbdUri uri;
    private final StampedDisk disk;
    private final Random random;
    private final StampedLoad load;
    private final boolean isReader;
    private final List<String> errors = new ArrayList<>();
    private String fault = "";
    private long rounds;
    private long reconnects;
    private long longestNanos;
    private boolean isPaused;
    private boolean isQuiet;
    private boolean isEnding;

    /**
     * @param survivesUnflushed whether what was acknowledged must survive without a flush
     * @param isReader whether it changes nothing
     */
    SteadyGuest(
            NbdUri uri, StampedDisk disk, long seed, boolean survivesUnflushed, boolean isReader) {
        super("guest of " + uri.export());
        this.uri = uri;
        this.disk = disk;
        this.random = new Random(seed);
        this.load = new StampedLoad(disk, random, 1_000, survivesUnflushed);
        this.isReader = isReader;
        setDaemon(true);
    }

    @Override
    public void run() {
        try {
            while (!isOver()) {
                try {
                    useTheDisk();
                } catch (IOException ended) {
                    disconnected(ended);
                }
            }
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        }
    }

    private void useTheDisk() throws IOException, InterruptedException {
        try (NbdConnection first = NbdConnection.open(uri);
                NbdConnection second = NbdConnection.open(uri)) {
            readAll(first, false);
            load.settled();
            while (!isOver()) {
                restWhilePaused(first);
                work(random.nextBoolean() ? first : second);
                Thread.sleep(REST_MILLIS);
            }
        }
    }

    private void work(NbdConnection connection) throws IOException {
        long began = System.nanoTime();
        if (!isReader) {
            load.batch(connection);
        }
        int slot = random.nextInt(disk.slots());
        note(disk.read(slot, connection.read(disk.offset(slot), StampedDisk.SLOT_BYTES)));
        if (!isReader && random.nextInt(3) == 0) {
            load.flush(connection);
        }
        synchronized (this) {
            rounds++;
            longestNanos = Math.max(longestNanos, System.nanoTime() - began);
            notifyAll();
        }
    }

    private void readAll(NbdConnection connection, boolean isServed) throws IOException {
        for (int slot = 0; slot < disk.slots(); slot++) {
            var held = connection.read(disk.offset(slot), StampedDisk.SLOT_BYTES);
            note(isServed ? disk.read(slot, held) : disk.settle(slot, held));
        }
    }

    private void restWhilePaused(NbdConnection connection)
            throws IOException, InterruptedException {
        synchronized (this) {
            if (!isPaused) {
                return;
            }
        }
        readAll(connection, true);
        if (!isReader) {
            load.flush(connection);
        }
        synchronized (this) {
            isQuiet = true;
            notifyAll();
            while (isPaused && !isEnding) {
                wait();
            }
            isQuiet = false;
        }
    }

    private synchronized void note(String found) {
        if (fault.isEmpty() && !found.isEmpty()) {
            fault = getName() + ": " + found;
            notifyAll();
        }
    }

    private synchronized boolean isOver() {
        return isEnding || !fault.isEmpty();
    }

    private void disconnected(IOException why) throws InterruptedException {
        String text = String.valueOf(why.getMessage());
        synchronized (this) {
            reconnects++;
            // ESHUTDOWN says that the service is being stopped: as if the connection had ended.
            if (text.contains("answered with error") && !text.endsWith("error 108")) {
                errors.add(getName() + ": " + why.getMessage());
            }
        }
        Thread.sleep(RETRY_MILLIS);
    }

    /** Reads all, flushes, and asks for nothing until {@link #goOn}; returns once that is so. */
    synchronized void pause(long limitSeconds) throws InterruptedException {
        isPaused = true;
        await(() -> isQuiet, limitSeconds, "quiet");
    }

    synchronized void goOn() {
        isPaused = false;
        notifyAll();
    }

    /** Waits until work that is begun from now on has been done. */
    synchronized void awaitProgress(long limitSeconds) throws InterruptedException {
        long before = rounds;
        await(() -> rounds >= before + 2, limitSeconds, "progress");
    }

    private void await(BooleanSupplier holds, long seconds, String what)
            throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!holds.getAsBoolean()) {
            requireNoFault();
            long leftMillis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (leftMillis <= 0) {
                throw new AssertionError(getName() + " has no " + what + " in " + seconds + " s");
            }
            wait(leftMillis);
        }
        requireNoFault();
    }

    synchronized void requireNoFault() {
        if (!fault.isEmpty()) {
            throw new AssertionError(fault);
        }
    }

    /** Errors that its requests were answered with. */
    synchronized List<String> errors() {
        return List.copyOf(errors);
    }

    /** As {@link #errors}, which are forgotten. */
    synchronized List<String> takeErrors() {
        List<String> taken = List.copyOf(errors);
        errors.clear();
        return taken;
    }

    /** How long a batch with its read and flush took at most, in milliseconds. */
    synchronized long longestMillis() {
        return TimeUnit.NANOSECONDS.toMillis(longestNanos);
    }

    /** Forgets the longest one. */
    synchronized void resetLongest() {
        longestNanos = 0;
    }

    synchronized String summary() {
        return getName()
                + ": rounds="
                + rounds
                + ", changes="
                + load.changes()
                + ", flushes="
                + load.flushes()
                + ", reconnects="
                + reconnects
                + ", errors="
                + errors.size()
                + ", longest ms="
                + TimeUnit.NANOSECONDS.toMillis(longestNanos);
    }

    /** Ends it, whatever it waits for. */
    void end() throws InterruptedException {
        synchronized (this) {
            isEnding = true;
            notifyAll();
        }
        interrupt();
        join(TimeUnit.SECONDS.toMillis(30));
        if (isAlive()) {
            throw new AssertionError(getName() + " does not end");
        }
    }
}
