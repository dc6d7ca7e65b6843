package io.quoin.management.cli;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Standard error of a service: lines go into a bounded queue that a thread of its own writes. A
 * pipe that is not read, or a slow terminal, stops that thread and no other; lines that find no
 * room are dropped and counted, and the count is written once something is read again. Control
 * characters in a line, which a terminal would obey, are replaced.
 *
 * <p>Threading: thread-safe.
 */
final class LogPipe extends OutputStream {
    private static final int QUEUE_BYTES_MAX = 1 << 20;
    private static final int LINE_BYTES_MAX = 16 << 10;
    private static final int DELETE = 0x7f;

    private final OutputStream target;
    private final Deque<byte[]> queue = new ArrayDeque<>();
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private int queuedBytes;
    private long dropped;
    private long written;
    private boolean isWriting;

    /**
     * @param target may block
     */
    LogPipe(OutputStream target) {
        this.target = target;
        Thread writer = new Thread(this::writeLines, "quoin-log");
        writer.setDaemon(true);
        writer.start();
    }

    /** Puts one in place of standard error. */
    static LogPipe replaceStandardError() {
        LogPipe pipe = new LogPipe(new FileOutputStream(FileDescriptor.err));
        System.setErr(new PrintStream(pipe, true, StandardCharsets.UTF_8));
        return pipe;
    }

    @Override
    public synchronized void write(int value) {
        append((byte) value);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            append(bytes[i]);
        }
    }

    private void append(byte value) {
        boolean isControl = (value >= 0 && value < ' ') || value == DELETE;
        boolean isKept = value == '\n' || value == '\t' || !isControl;
        line.write(isKept ? value : '?');
        if (value == '\n' || line.size() >= LINE_BYTES_MAX) {
            endLine();
        }
    }

    private void endLine() {
        int length = line.size();
        if (length == 0) {
            return;
        }
        if (queuedBytes + length > QUEUE_BYTES_MAX) {
            dropped++;
        } else {
            queue.add(line.toByteArray());
            queuedBytes += length;
            notifyAll();
        }
        line.reset();
    }

    /**
     * Waits until all that was written before is out, for as long as some of it goes out within
     * {@code stallMillis}. For the end of the process.
     */
    synchronized void drain(long stallMillis) {
        endLine();
        try {
            long seen = -1;
            while ((isWriting || !queue.isEmpty()) && written != seen) {
                seen = written;
                awaitProgress(seen, stallMillis);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void awaitProgress(long seen, long stallMillis)
            throws InterruptedException {
        long deadline = System.nanoTime() + stallMillis * 1_000_000;
        long left = stallMillis;
        while (left > 0 && written == seen) {
            wait(left);
            left = (deadline - System.nanoTime()) / 1_000_000;
        }
    }

    private void writeLines() {
        try {
            while (true) {
                writeOut(next());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized byte[] next() throws InterruptedException {
        while (queue.isEmpty()) {
            wait();
        }
        byte[] first = queue.remove();
        queuedBytes -= first.length;
        isWriting = true;
        return first;
    }

    private void writeOut(byte[] bytes) {
        try {
            target.write(bytes);
            target.flush();
        } catch (IOException closed) {
            // There is nowhere to tell it.
        }
        tellDropped();
        synchronized (this) {
            isWriting = false;
            written++;
            notifyAll();
        }
    }

    private void tellDropped() {
        long count;
        synchronized (this) {
            // Behind the lines that were there before the first one was dropped.
            count = queue.isEmpty() ? dropped : 0;
            dropped -= count;
        }
        if (count > 0) {
            String text = "quoin: log lines dropped, not read in time: lines=" + count;
            try {
                target.write((text + "\n").getBytes(StandardCharsets.UTF_8));
                target.flush();
            } catch (IOException closed) {
                // As above.
            }
        }
    }
}
