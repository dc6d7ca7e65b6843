package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class WalkTest {
    private static final int WALKS = 4000;

    /** For each layout. */
    private static final Map<Walk.Mode, Integer> SEEDS =
            new EnumMap<>(
                    Map.of(
                            Walk.Mode.LIVENESS, 600,
                            Walk.Mode.SAFETY, 250,
                            Walk.Mode.UNLIMITED, 150));

    @Test
    void shouldHoldTheInvariantsWhenFaultsAreRandom() {
        int walks = 0;
        int losses = 0;
        long operations = 0;
        for (Walk.Mode mode : Walk.Mode.values()) {
            for (Layout layout : Layout.values()) {
                for (long seed = 1; seed <= SEEDS.get(mode); seed++) {
                    Walk walk = new Walk(layout, seed, mode, Mutant.NONE, false);
                    run(walk, mode + ", layout=" + layout + ", seed=" + seed);
                    walks++;
                    losses += walk.world().history.losses();
                    operations += walk.world().history.ended();
                }
            }
        }
        assertThat(walks).isEqualTo(WALKS);
        assertThat(operations).isGreaterThan(50L * WALKS);
        assertThat(losses).isPositive();
    }

    private static void run(Walk walk, String what) {
        try {
            walk.run();
        } catch (AssertionError | RuntimeException e) {
            fail("walk: mode=" + what, e);
        }
    }

    @Test
    void shouldRepeatAWalkWhenTheSeedIsTheSame() {
        Walk first = new Walk(Layout.THREE, 7, Walk.Mode.LIVENESS, Mutant.NONE, false);
        Walk second = new Walk(Layout.THREE, 7, Walk.Mode.LIVENESS, Mutant.NONE, false);
        first.run();
        second.run();
        assertThat(second.world().steps()).isEqualTo(first.world().steps());
        assertThat(second.world().history.ended()).isEqualTo(first.world().history.ended());
    }
}
