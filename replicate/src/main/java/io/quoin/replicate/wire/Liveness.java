package io.quoin.replicate.wire;

import org.jspecify.annotations.Nullable;

/**
 * Counts ticks, and tells when one is too late.
 *
 * <p>Threading: confined to the connection's loop.
 */
final class Liveness {
    private final WireTiming timing;
    private boolean isGreeted;
    private boolean isEnding;
    private boolean hasReceived;
    private boolean hasSent;
    private boolean hasTaken;
    private int helloTicks;
    private int silentTicks;
    private int untakenTicks;
    private int unansweredTicks;
    private int lingerTicks;

    Liveness(WireTiming timing) {
        this.timing = timing;
    }

    void greeted() {
        isGreeted = true;
    }

    boolean isGreeted() {
        return isGreeted;
    }

    void ending() {
        isEnding = true;
    }

    void received() {
        hasReceived = true;
    }

    void sent() {
        hasSent = true;
    }

    void taken() {
        hasTaken = true;
    }

    /**
     * A tick has gone by.
     *
     * @param isPaused whether nothing is read; then nothing can be received, and an answer sent
     *     counts instead
     * @return why the connection has to end; null if it goes on
     */
    @Nullable String tick(boolean isPaused, long pendingBytes) {
        silentTicks = isPaused || hasReceived ? 0 : silentTicks + 1;
        untakenTicks = pendingBytes == 0 || hasTaken ? 0 : untakenTicks + 1;
        unansweredTicks = !isPaused || hasSent ? 0 : unansweredTicks + 1;
        helloTicks += isGreeted ? 0 : 1;
        lingerTicks += isEnding ? 1 : 0;
        hasReceived = false;
        hasSent = false;
        hasTaken = false;
        return late(pendingBytes);
    }

    private @Nullable String late(long pendingBytes) {
        if (isEnding) {
            return lingerTicks >= timing.lingerMax() ? "not closed by the other side" : null;
        }
        if (!isGreeted) {
            return helloTicks >= timing.helloMax() ? "no hello in time" : null;
        }
        if (silentTicks >= timing.missedMax()) {
            return "silent: missed pings=" + silentTicks;
        }
        if (untakenTicks >= timing.stalledMax()) {
            return "takes nothing of what is sent: pendingBytes=" + pendingBytes;
        }
        return unansweredTicks >= timing.stalledMax() ? "the brick does not answer" : null;
    }
}
