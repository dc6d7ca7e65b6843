package io.quoin.testkit.peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Reads one output of a process to its end so that the process never blocks on a full pipe.
 *
 * <p>Threading: thread-safe.
 */
final class OutputReader extends Thread {
    private static final int KEPT_BYTES_MAX = 64 << 20;

    private final InputStream input;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private boolean ended;

    private OutputReader(InputStream input, String name) {
        super(name);
        this.input = input;
        setDaemon(true);
    }

    static OutputReader of(InputStream input, String name) {
        OutputReader reader = new OutputReader(input, name);
        reader.start();
        return reader;
    }

    @Override
    public void run() {
        byte[] piece = new byte[64 << 10];
        try (input) {
            for (int count = input.read(piece); count >= 0; count = input.read(piece)) {
                keep(piece, count);
            }
        } catch (IOException closed) {
            // The process was ended and its pipe with it: what was read until then is the output.
            keep(piece, 0);
        } finally {
            end();
        }
    }

    private synchronized void keep(byte[] piece, int count) {
        kept.write(piece, 0, Math.min(count, KEPT_BYTES_MAX - kept.size()));
        notifyAll();
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    synchronized byte[] bytes() {
        return kept.toByteArray();
    }

    synchronized String text() {
        return kept.toString(StandardCharsets.UTF_8);
    }

    synchronized boolean ended() {
        return ended;
    }

    /** Waits until there is more output than the given count, the end, or the deadline. */
    synchronized void awaitMoreThan(int countBytes, long deadlineNanos)
            throws InterruptedException {
        while (!ended && kept.size() <= countBytes) {
            long left = deadlineNanos - System.nanoTime();
            if (left <= 0) {
                return;
            }
            wait(left / 1_000_000, (int) (left % 1_000_000));
        }
    }

    synchronized int sizeBytes() {
        return kept.size();
    }
}
