package io.quoin.tools.terminal;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Progress on stderr: one line written over and over on a terminal, and a line for a further
 * percent elsewhere, five in a second at most.
 *
 * <p>Threading: confined to its thread.
 */
public final class Progress {
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int PERCENT = 100;

    private enum Style {
        NONE,
        OVERWRITE,
        LINES
    }

    private final String what;
    private final Style style;
    private final PrintWriter err;
    private long nextNanos = System.nanoTime() + EVERY_NANOS;
    private long percentShown = -1;

    private Progress(String what, Style style, PrintWriter err) {
        this.what = what;
        this.style = style;
        this.err = err;
    }

    /** Shown on a terminal alone. */
    static Progress onTerminal(String what, PrintWriter err) {
        return new Progress(what, isTerminal() ? Style.OVERWRITE : Style.NONE, err);
    }

    /** Shown wherever stderr goes. */
    static Progress always(String what, PrintWriter err) {
        return new Progress(what, isTerminal() ? Style.OVERWRITE : Style.LINES, err);
    }

    static Progress none(String what, PrintWriter err) {
        return new Progress(what, Style.NONE, err);
    }

    public void show(long done, long total) {
        if (style == Style.NONE || total <= 0) {
            return;
        }
        long percent = Math.min(PERCENT, (long) ((double) done / total * PERCENT));
        boolean isDue = percent == PERCENT || System.nanoTime() - nextNanos >= 0;
        if (percent == percentShown || !isDue) {
            return;
        }
        nextNanos = System.nanoTime() + EVERY_NANOS;
        percentShown = percent;
        String text = what + ": " + percent + "%";
        if (style == Style.OVERWRITE) {
            err.print("\r" + text);
        } else {
            err.println(text);
        }
        err.flush();
    }

    /** Takes the line away, for other output to stand there. */
    public void clear() {
        if (style == Style.OVERWRITE && percentShown >= 0) {
            err.print("\r\u001b[K");
            err.flush();
            percentShown = -1;
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
