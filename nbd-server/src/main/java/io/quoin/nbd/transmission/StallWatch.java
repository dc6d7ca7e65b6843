package io.quoin.nbd.transmission;

import java.time.Duration;

/**
 * Tells, looked at once a second, when a client holds something and does nothing: a request of
 * which a part has come, or answers that it doesn't take while others wait for their memory. A
 * connection without either may be silent for ever.
 *
 * <p>Threading: confined(loop).
 */
final class StallWatch {
    /** A payload may come as slowly as this, or as that if others wait for its memory. */
    private static final long BYTES_PER_LOOK_MIN = 16 << 10;

    private static final long WANTED_BYTES_PER_LOOK_MIN = 1 << 20;

    private final long looksMax;
    private long requests = -1;
    private long looksAmidRequest;
    private long unsentBytes;
    private long looksUnsent;

    StallWatch(Duration timeout) {
        looksMax = Math.max(1, timeout.toSeconds());
    }

    /**
     * Whether a request takes too long to arrive.
     *
     * @param isReading whether it is the client that has to go on
     */
    boolean isRequestStalled(RequestReader reader, boolean isReading, boolean isWantedByOthers) {
        if (!isReading || !reader.isAmidRequest() || reader.requests() != requests) {
            requests = reader.requests();
            looksAmidRequest = 0;
            return false;
        }
        looksAmidRequest++;
        long rate = isWantedByOthers ? WANTED_BYTES_PER_LOOK_MIN : BYTES_PER_LOOK_MIN;
        return looksAmidRequest > looksMax + reader.payloadBytes() / rate;
    }

    /**
     * Whether the client has taken nothing for too long, and others wait for what it holds.
     *
     * @param nowUnsentBytes answers that are in no socket yet
     */
    boolean isDeaf(long nowUnsentBytes, boolean isWantedByOthers) {
        if (nowUnsentBytes == 0 || nowUnsentBytes != unsentBytes) {
            unsentBytes = nowUnsentBytes;
            looksUnsent = 0;
            return false;
        }
        looksUnsent++;
        return isWantedByOthers && looksUnsent >= looksMax;
    }
}
