package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LineageTest {
    private static final Config INITIAL = Config.initial(Layout.THREE);

    private final History history = new History();
    private final Lineage lineage = new Lineage(history);

    private static Config config(long epoch, long k) {
        return new Config(epoch, k, INITIAL.isr(), false);
    }

    @Test
    void shouldLoseNothingWhenTheOpenThatTookASuspectCommitsNothing() {
        lineage.opened(1, INITIAL, false);
        lineage.committed(config(1, 1));
        lineage.opened(2, config(1, 1), true);
        lineage.opened(3, config(1, 1), false);
        lineage.committed(config(3, 1));
        assertThat(history.losses()).isZero();
    }

    @Test
    void shouldTellOfALossWhenAnotherOpenHasBuiltOnASuspect() {
        lineage.opened(1, INITIAL, true);
        lineage.opened(2, config(1, 1), false);
        lineage.committed(config(2, 1));
        assertThat(history.losses()).isEqualTo(1);
    }

    @Test
    void shouldFailWhenACommittedConfigurationIsLeftBehind() {
        lineage.opened(1, INITIAL, false);
        lineage.committed(config(1, 1));
        lineage.committed(config(1, 2));
        lineage.opened(2, config(1, 1), false);
        assertThatThrownBy(() -> lineage.committed(config(2, 1)))
                .hasMessageContaining("two histories");
    }

    @Test
    void shouldFailWhenTheOlderOfTwoHistoriesIsCommittedLast() {
        lineage.opened(1, INITIAL, false);
        lineage.opened(2, INITIAL, false);
        lineage.committed(config(2, 1));
        assertThatThrownBy(() -> lineage.committed(config(1, 1)))
                .hasMessageContaining("two histories");
    }
}
