package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class WalkTest {
    private static final int SEEDS = 400;
    private static final int MUTANT_SEEDS = 1500;

    @Test
    void shouldHoldTheInvariantsWhenFaultsAreRandom() {
        int walks = 0;
        int losses = 0;
        long operations = 0;
        for (Layout layout : Layout.values()) {
            for (long seed = 1; seed <= SEEDS; seed++) {
                Walk walk = new Walk(layout, seed, Walk.Mode.LIVENESS, new Mutant(), false);
                run(walk, layout, seed);
                walks++;
                losses += walk.world().history.losses();
                operations += walk.world().history.ended();
            }
        }
        assertThat(walks).isEqualTo(4 * SEEDS);
        assertThat(operations).isGreaterThan(100L * SEEDS);
        assertThat(losses).isPositive();
    }

    @Test
    void shouldHoldTheInvariantsWhenFaultsAreWithoutMeasure() {
        int walks = 0;
        for (Layout layout : Layout.values()) {
            for (long seed = 1; seed <= SEEDS / 4; seed++) {
                run(new Walk(layout, seed, Walk.Mode.UNLIMITED, new Mutant(), false), layout, seed);
                walks++;
            }
        }
        assertThat(walks).isEqualTo(SEEDS);
    }

    private static void run(Walk walk, Layout layout, long seed) {
        try {
            walk.run();
        } catch (AssertionError | RuntimeException e) {
            fail("walk: layout=" + layout + ", seed=" + seed, e);
        }
    }

    @Test
    void shouldRepeatAWalkWhenTheSeedIsTheSame() {
        Walk first = new Walk(Layout.THREE, 7, Walk.Mode.LIVENESS, new Mutant(), false);
        Walk second = new Walk(Layout.THREE, 7, Walk.Mode.LIVENESS, new Mutant(), false);
        first.run();
        second.run();
        assertThat(second.world().steps()).isEqualTo(first.world().steps());
        assertThat(second.world().history.ended()).isEqualTo(first.world().history.ended());
    }

    /** The others are caught in ScenarioTest. */
    @Test
    void shouldFailWhenARuleIsBroken() {
        Set<Mutants> directed =
                Set.of(Mutants.BRICK_DOES_NOT_DRAIN, Mutants.GATEWAY_READS_UNCONFIRMED);
        for (Mutants mutant : Mutants.values()) {
            if (directed.contains(mutant)) {
                continue;
            }
            assertThat(seedThatCatches(mutant)).as("seed that catches %s", mutant).isPositive();
        }
    }

    /** 0 if none does. */
    static long seedThatCatches(Mutants mutant) {
        for (long seed = 1; seed <= MUTANT_SEEDS; seed++) {
            Layout layout = seed % 3 == 0 ? Layout.TWO_ARBITER : Layout.THREE;
            try {
                new Walk(layout, seed, Walk.Mode.LIVENESS, mutant.mutant(), false).run();
            } catch (AssertionError | RuntimeException e) {
                return seed;
            }
        }
        return 0;
    }
}
