package io.quoin.qcow2.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.io.ClusterRuns;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class DeferredDropsTest {
    private static final int RUNS_MAX = 1 << 20;
    private static final long TABLE = 65536;

    /** What voids a snapshot with ENOMEM: runs count, not clusters, and go with their entry. */
    @Test
    void shouldBeFullWhenThereAreMoreRunsThanMayBePutOff() {
        DeferredDrops drops = new DeferredDrops(new long[] {TABLE, 0, 2 * TABLE});
        assertThat(drops.defers(0)).isTrue();
        assertThat(drops.defers(1)).as("without a table").isFalse();
        drops.add(0, 7);
        for (int i = 0; i < RUNS_MAX - 1; i++) {
            drops.add(2, 1000 + 2L * i);
        }
        assertThat(drops.isFull()).isFalse();
        drops.add(2, 1000 + 2L * RUNS_MAX);
        assertThat(drops.isFull()).isTrue();
        ClusterRuns first = Objects.requireNonNull(drops.settled(0));
        assertThat(first.start(0)).isEqualTo(7);
        assertThat(drops.defers(0)).isFalse();
        assertThat(drops.isFull()).isFalse();
        assertThat(Objects.requireNonNull(drops.settled(2)).size()).isEqualTo(RUNS_MAX);
        assertThat(drops.settled(2)).isNull();
    }
}
