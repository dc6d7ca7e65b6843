package io.quoin.management.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class JobRateTest {
    private static long seconds(long seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    @Test
    void shouldGoByTheLastHalfMinute() {
        JobRate rate = new JobRate();
        rate.reset(0, 0);
        assertThat(rate.perSecond(0, 0)).isZero();
        for (int second = 1; second <= 100; second++) {
            rate.add(seconds(second), 10L * second);
        }
        assertThat(rate.perSecond(seconds(100), 1000)).isEqualTo(10);
        for (int second = 101; second <= 140; second++) {
            rate.add(seconds(second), 1000 + 100L * (second - 100));
        }
        assertThat(rate.perSecond(seconds(140), 5000)).isEqualTo(100);
        rate.reset(seconds(1000), 5000);
        assertThat(rate.perSecond(seconds(1001), 5001)).isEqualTo(1);
    }

    @Test
    void shouldTellTheRestWhereTheRateIsKnown() {
        assertThat(JobRate.remainingSeconds(10, 100, 0)).isNull();
        assertThat(JobRate.remainingSeconds(10, 0, 7)).isNull();
        assertThat(JobRate.remainingSeconds(10, 100, 40)).isEqualTo(3);
    }
}
