package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ConnectionPaceTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final ConnectionPace pace = new ConnectionPace();
    private long now = Long.MAX_VALUE - SECOND / 2; // the clock may begin anywhere

    private void useAllAtOnce(String peer) {
        for (int i = 0; i < ConnectionPace.AT_ONCE; i++) {
            assertThat(pace.delayNanos(peer, now)).isZero();
        }
    }

    @Test
    void shouldLetThemInEvenlyWhenAPeerMakesTooMany() {
        useAllAtOnce("fast");
        for (int i = 1; i <= 3 * ConnectionPace.EACH_SECOND; i++) {
            assertThat(pace.delayNanos("fast", now))
                    .isEqualTo(i * SECOND / ConnectionPace.EACH_SECOND);
        }
        assertThat(pace.delayNanos("other", now)).isZero();
        now += 10 * SECOND;
        useAllAtOnce("fast");
        assertThat(pace.delayNanos("fast", now)).isPositive();
    }

    @Test
    void shouldDelayNoneWhenAPeerKeepsToTheRate() {
        for (int i = 0; i < 10 * ConnectionPace.EACH_SECOND; i++) {
            assertThat(pace.delayNanos("steady", now)).isZero();
            now += SECOND / ConnectionPace.EACH_SECOND;
        }
    }

    @Test
    void shouldRememberThoseThatWaitWhenThereAreVeryManyPeers() {
        useAllAtOnce("fast");
        for (int i = 0; i < 100_000; i++) {
            assertThat(pace.delayNanos("peer " + i, now)).isZero();
            now += SECOND / 1_000_000;
        }
        assertThat(pace.delayNanos("fast", now)).isZero(); // 100 ms later: 40 are free
        for (int i = 1; i < 40; i++) {
            assertThat(pace.delayNanos("fast", now)).isZero();
        }
        assertThat(pace.delayNanos("fast", now)).isPositive();
    }
}
