package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class ScenarioTest {
    private static final int SEEDS = 50;

    @ParameterizedTest
    @EnumSource
    void shouldHoldTheInvariantsWhenTheCourseIsGiven(Scenario scenario) {
        int runs = 0;
        for (Layout layout : scenario.layouts()) {
            for (long seed = 1; seed <= SEEDS; seed++) {
                try {
                    scenario.run(new SimWorld(layout, seed, Mutant.NONE, false));
                } catch (AssertionError | RuntimeException e) {
                    fail("scenario: layout=" + layout + ", seed=" + seed, e);
                }
                runs++;
            }
        }
        assertThat(runs).isEqualTo(SEEDS * scenario.layouts().size()).isPositive();
    }
}
