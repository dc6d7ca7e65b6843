package io.quoin.management.cli.terminal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A line of progress on stderr, written over and over; only where stderr is a terminal.
 *
 * <p>Threading: confined to its thread.
 */
public final class Progress {
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int PERCENT = 100;

    private final String what;
    private final boolean terminal = isTerminal();
    private long nextNanos = System.nanoTime() + EVERY_NANOS;
    private boolean shown;

    public Progress(String what) {
        this.what = what;
    }

    public void show(long done, long total) {
        if (!terminal || total <= 0 || System.nanoTime() - nextNanos < 0) {
            return;
        }
        nextNanos = System.nanoTime() + EVERY_NANOS;
        shown = true;
        System.err.printf("\r%s: %d%%", what, Math.min(PERCENT, done * PERCENT / total));
        System.err.flush();
    }

    public void clear() {
        if (shown) {
            System.err.print("\r\u001b[K");
            System.err.flush();
            shown = false;
        }
    }

    private static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException e) {
            return false;
        }
    }
}
