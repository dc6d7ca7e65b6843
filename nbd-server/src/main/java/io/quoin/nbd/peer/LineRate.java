package io.quoin.nbd.peer;

/**
 * A bucket of lines that fills again in time.
 *
 * <p>Threading: guarded by its owner.
 */
final class LineRate {
    private final int linesMax;
    private final long nanosPerLine;
    private double lines;
    private long lastNanos;
    private long leftOut;

    LineRate(int linesMax, long nanosPerLine, long nowNanos) {
        this.linesMax = linesMax;
        this.nanosPerLine = nanosPerLine;
        this.lines = linesMax;
        this.lastNanos = nowNanos;
    }

    boolean mayTell(long nowNanos) {
        double filled = (double) Math.max(0, nowNanos - lastNanos) / nanosPerLine;
        lines = Math.min(linesMax, lines + filled);
        lastNanos = nowNanos;
        return lines >= 1;
    }

    void tell() {
        lines--;
    }

    void leaveOut() {
        leftOut++;
    }

    /** How many were left out since this was asked last. */
    long takeLeftOut() {
        long taken = leftOut;
        leftOut = 0;
        return taken;
    }
}
