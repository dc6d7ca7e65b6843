package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

@Timeout(120)
class MutantTest {
    private static final int SEEDS = 500;

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void shouldBeCaughtByItsCheckWhenARuleIsBroken(Mutant mutant) {
        Map<String, Long> seen = new TreeMap<>();
        for (long seed = 1; seed <= SEEDS; seed++) {
            String message = run(mutant, seed);
            if (message.startsWith(mutant.caught())) {
                return;
            }
            seen.putIfAbsent(message, seed);
        }
        assertThat(seen.keySet()).as("%s, by %s", mutant, mutant.caught()).isEmpty();
        assertThat(seen).as("%s is not caught", mutant).isNotEmpty();
    }

    @Test
    void shouldHaveManyOfThem() {
        assertThat(Mutant.values()).hasSizeGreaterThan(40);
    }

    /** What is wrong; a space if nothing is. */
    private static String run(Mutant mutant, long seed) {
        Scenario scenario = mutant.scenario();
        try {
            if (scenario == null) {
                Layout layout = seed % 3 == 0 ? Layout.TWO_ARBITER : Layout.THREE;
                new Walk(layout, seed, Walk.Mode.LIVENESS, mutant, false).run();
            } else {
                Layout layout = scenario.layouts().get((int) seed % scenario.layouts().size());
                scenario.run(new SimWorld(layout, seed, mutant, false));
            }
            return " ";
        } catch (AssertionError | RuntimeException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
