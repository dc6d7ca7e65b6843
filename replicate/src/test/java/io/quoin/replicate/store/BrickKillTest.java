package io.quoin.replicate.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BrickKillTest {
    private static final int SEEDS = 60;

    @Test
    void shouldHaveWhatItAnsweredWhenItIsKilledAnywhere() {
        int kept = 0;
        for (int seed = 1; seed <= SEEDS; seed++) {
            try {
                kept += new BrickLives(seed).run();
            } catch (AssertionError e) {
                throw new AssertionError("seed=" + seed, e);
            }
        }
        // Most kills come while no sync is under way: the cache is kept then.
        assertThat(kept).isGreaterThan(100);
    }
}
