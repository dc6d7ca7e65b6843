package io.quoin.nbd.transmission;

import io.quoin.nbd.protocol.RequestLayout;

/**
 * How much a connection may have carried out before the others on its loop have their turn, in
 * units: a small request, or what takes about as long.
 *
 * <p>Threading: confined(loop).
 */
final class Turn {
    /** The most that a single request costs. */
    private static final int REQUEST_UNITS_MAX = 96;

    private static final int STATUS_UNITS = 48;

    /** TRIM, WRITE_ZEROES and CACHE may be of any length. */
    private static final int RANGE_UNITS = 8;

    private static final int UNIT_BYTES_SHIFT = 15;

    private final LoopShare share;
    private boolean isQueued;
    private int granted;
    private int left;

    Turn(LoopShare share) {
        this.share = share;
    }

    /** Begins one for requests that have just arrived. */
    void beginArrived() {
        isQueued = false;
        granted = share.arrived(this);
        left = granted;
    }

    /** Begins one that was waited for in the queue. */
    void beginQueued() {
        isQueued = true;
        granted = share.queued(this);
        left = granted;
    }

    void end() {
        if (!isQueued) {
            share.spent(granted - left, isOver());
        }
    }

    /** What a request costs besides the data that is read for it. */
    void spend(Command command) {
        left -=
                switch (command.type) {
                    case RequestLayout.BLOCK_STATUS -> STATUS_UNITS;
                    case RequestLayout.TRIM, RequestLayout.WRITE_ZEROES, RequestLayout.CACHE ->
                            RANGE_UNITS;
                    case RequestLayout.WRITE -> 1 + units(command.lengthBytes);
                    default -> 1;
                };
    }

    void spendRead(long bytes) {
        left -= units(bytes);
    }

    private static int units(long bytes) {
        return (int) Math.min(REQUEST_UNITS_MAX, bytes >>> UNIT_BYTES_SHIFT);
    }

    boolean isOver() {
        return left <= 0;
    }
}
