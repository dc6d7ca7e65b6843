package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random holds and cuts of rings on several loops, in virtual time, as {@link CutModel} has it. */
@Timeout(120)
class CutModelTest {
    private static final int RANDOM_SEEDS = 40;
    private static final int FIXED_SEEDS = 20;

    private static final Map<CutModel.Outcome, Integer> OUTCOMES =
            new EnumMap<>(CutModel.Outcome.class);

    static List<Long> seeds() {
        String fixed = System.getProperty("quoin.seed");
        if (fixed != null) {
            return List.of(Long.parseLong(fixed));
        }
        Random random = new Random();
        List<Long> seeds = new ArrayList<>();
        for (long seed = 1; seed <= FIXED_SEEDS; seed++) {
            seeds.add(seed);
        }
        for (int i = 0; i < RANDOM_SEEDS; i++) {
            seeds.add(random.nextLong());
        }
        return seeds;
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void shouldCutAtOneInstantWhenRequestsEndInAnyOrder(long seed) {
        System.out.println("seed " + seed + " (-Dquoin.seed=" + seed + ")");
        CutModel model = new CutModel(seed);
        model.run();
        model.outcomes().forEach((outcome, count) -> OUTCOMES.merge(outcome, count, Integer::sum));
    }

    @AfterAll
    static void shouldHaveSeenEveryOutcome() {
        System.out.println("outcomes: " + OUTCOMES);
        if (System.getProperty("quoin.seed") == null) {
            assertThat(OUTCOMES).containsOnlyKeys(CutModel.Outcome.values());
        }
    }
}
