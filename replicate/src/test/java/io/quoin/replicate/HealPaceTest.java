package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Pieces of work beside a guest that sends one request after the other, in made-up time. */
class HealPaceTest {
    private static final long PIECE_NANOS = 400_000;
    private static final long CALM_NANOS = 100_000;

    private final HealPace pace = new HealPace();
    private long now = 1_000_000_000;

    /** Time passes; the guest's requests take so long each. */
    private void guest(long nanos, long eachNanos) {
        for (long left = nanos; left >= eachNanos; left -= eachNanos) {
            long began = now;
            now += eachNanos;
            pace.guestEnded(began, now);
        }
    }

    /** The last rest of so many pieces, beside which a guest's requests take so long each. */
    private long work(int pieces, long eachNanos) {
        long rest = 0;
        for (int i = 0; i < pieces; i++) {
            pace.began();
            guest(PIECE_NANOS, eachNanos);
            rest = pace.ended(now, PIECE_NANOS);
            guest(rest, CALM_NANOS);
        }
        return rest;
    }

    @Test
    void shouldNotRestWhenThereIsNoGuest() {
        pace.began();
        assertThat(pace.ended(now, PIECE_NANOS)).isZero();
        guest(1_000_000, CALM_NANOS);
        now += 200_000_000;
        pace.began();
        assertThat(pace.ended(now, PIECE_NANOS)).isZero();
    }

    @Test
    void shouldRestLongerWhenItMakesRequestsLonger() {
        long rest = work(200, 2 * CALM_NANOS);
        assertThat(rest).isGreaterThan(10 * PIECE_NANOS).isLessThanOrEqualTo(20_000_000);
    }

    @Test
    void shouldRestLessWhenGuestsDoNotNotice() {
        assertThat(work(200, CALM_NANOS)).isLessThan(PIECE_NANOS / 4);
    }
}
