package io.quoin.nbd.transmission;

import io.quoin.nbd.protocol.RequestLayout;

/**
 * How much a connection may have carried out before the others on its loop have their turn: so many
 * small requests, or what takes about as long.
 *
 * <p>Threading: confined(loop).
 */
final class Turn {
    private static final int UNITS = 96;
    private static final int STATUS_UNITS = UNITS / 2;

    /** TRIM, WRITE_ZEROES and CACHE may be of any length. */
    private static final int RANGE_UNITS = 8;

    private static final int UNIT_BYTES_SHIFT = 15;

    private int left;

    void begin() {
        left = UNITS;
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
        return (int) Math.min(UNITS, bytes >>> UNIT_BYTES_SHIFT);
    }

    boolean isOver() {
        return left <= 0;
    }
}
