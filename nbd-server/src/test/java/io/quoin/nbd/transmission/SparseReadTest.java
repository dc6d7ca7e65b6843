package io.quoin.nbd.transmission;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Cutting a sparse read into data and holes. */
@Timeout(20)
final class SparseReadTest {
    @Test
    void shouldTreatUnreportedPartAsData() {
        ExtentList extents = new ExtentList(4);
        assertThat(SparseRead.isHole(extents, 0)).isFalse();
        assertThat(SparseRead.runEnd(extents, 0, 100)).isEqualTo(100);
        extents.add(10, BlockStatus.ZERO);
        assertThat(SparseRead.runEnd(extents, 0, 100)).isEqualTo(10);
        assertThat(SparseRead.isHole(extents, 10)).isFalse();
        assertThat(SparseRead.runEnd(extents, 10, 100)).isEqualTo(100);
    }

    @Test
    void shouldCutWhatReachesBeyondTheRead() {
        ExtentList extents = new ExtentList(4);
        extents.add(10, BlockStatus.DATA);
        extents.add(1L << 40, BlockStatus.HOLE | BlockStatus.ZERO);
        assertThat(SparseRead.runEnd(extents, 0, 100)).isEqualTo(10);
        assertThat(SparseRead.runEnd(extents, 10, 100)).isEqualTo(100);
    }

    @Test
    void shouldJoinNeighboursAndCoverEveryByteOnce() {
        long seed = 42;
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            int length = 1 + random.nextInt(1000);
            ExtentList extents = new ExtentList(64);
            boolean[] zero = new boolean[length];
            for (int at = 0; at < length && random.nextInt(10) > 0; ) {
                int part = 1 + random.nextInt(100);
                int status = random.nextInt(4);
                if (!extents.add(part, status)) {
                    break;
                }
                for (int i = at; i < Math.min(length, at + part); i++) {
                    zero[i] = (status & BlockStatus.ZERO) != 0;
                }
                at += part;
            }
            boolean wasHole = false;
            for (int at = 0; at < length; ) {
                int end = SparseRead.runEnd(extents, at, length);
                boolean hole = SparseRead.isHole(extents, at);
                assertThat(end).as("round " + round).isGreaterThan(at);
                for (int i = at; i < end; i++) {
                    assertThat(zero[i]).as("round %d byte %d", round, i).isEqualTo(hole);
                }
                assertThat(at > 0 && hole == wasHole).isFalse();
                wasHole = hole;
                at = end;
            }
        }
    }
}
