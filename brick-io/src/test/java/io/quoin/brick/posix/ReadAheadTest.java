package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ReadAheadTest {
    private static final int KIB = 1024;
    private static final long SIZE = 1L << 30;

    private final ReadAhead readAhead = new ReadAhead(1024 * KIB);

    @Test
    void shouldStayAheadWhenReadsAreSequentialAndCold() {
        long fetchedTo = 0;
        long offset = 0;
        for (int i = 0; i < 1000; i++, offset += 64 * KIB) {
            long length = readAhead.onRead(offset, 64 * KIB, i < 3, SIZE);
            if (length > 0) {
                assertThat(readAhead.fetchOffset()).isGreaterThanOrEqualTo(fetchedTo);
                fetchedTo = readAhead.fetchOffset() + length;
                assertThat(fetchedTo - offset - 64 * KIB).isLessThanOrEqualTo(1024 * KIB);
            }
            if (i >= 3) {
                assertThat(fetchedTo).isGreaterThan(offset + 64 * KIB);
            }
        }
    }

    @Test
    void shouldFetchNothingTwiceAndNothingPastTheEnd() {
        long total = 0;
        for (long offset = 0; offset < 4096 * KIB; offset += 4 * KIB) {
            total += readAhead.onRead(offset, 4 * KIB, true, 4096 * KIB);
        }
        assertThat(total).isBetween(4000L * KIB, 4096L * KIB);
    }

    @Test
    void shouldLeaveItAloneWhenThePageCacheAnswers() {
        for (long offset = 0; offset < SIZE; offset += 1024 * KIB) {
            assertThat(readAhead.onRead(offset, 1024 * KIB, false, SIZE)).isZero();
        }
    }

    @Test
    void shouldLeaveItAloneWhenReadsAreRandom() {
        Random random = new Random(7);
        long fetched = 0;
        for (int i = 0; i < 10_000; i++) {
            fetched += readAhead.onRead(random.nextLong(SIZE * 1024), 4 * KIB, true, SIZE * 1024);
        }
        assertThat(fetched).isZero();
    }

    @Test
    void shouldFollowSeveralStreamsWhenTheyInterleave() {
        long fetched = 0;
        for (long i = 0; i < 64; i++) {
            for (long stream = 0; stream < 3; stream++) {
                long offset = stream * (SIZE / 4) + (i ^ 1) * 16 * KIB; // pairs out of order
                fetched += readAhead.onRead(offset, 16 * KIB, true, SIZE);
            }
        }
        assertThat(fetched).isGreaterThan(3L * 64 * 16 * KIB - 512 * KIB);
    }

    @Test
    void shouldDoNothingWhenTurnedOff() {
        ReadAhead off = new ReadAhead(0);
        for (long offset = 0; offset < SIZE / 64; offset += 64 * KIB) {
            assertThat(off.onRead(offset, 64 * KIB, true, SIZE)).isZero();
        }
    }
}
