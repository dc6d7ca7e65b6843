package io.quoin.replicate.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every state of up to three bricks, and whichever of them answer. */
class EpochsTest {
    private static final int EPOCHS = 4;

    @ParameterizedTest
    @EnumSource(Layout.class)
    void shouldBeAboveEveryEpochThatAMajorityHasPromised(Layout layout) {
        int states = (int) Math.pow(EPOCHS, layout.voters());
        int chosen = 0;
        for (int state = 0; state < states; state++) {
            for (int answering = 0; answering < 1 << layout.voters(); answering++) {
                SortedMap<Integer, Long> all = promised(layout, state, -1);
                OptionalLong next = Epochs.next(layout, promised(layout, state, answering));
                if (next.isPresent()) {
                    chosen++;
                    assertThat(next.getAsLong())
                            .as("promised=%s, answering=%s", all, answering)
                            .isGreaterThan(highestOfAMajority(layout, all));
                }
            }
        }
        assertThat(chosen).isPositive();
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void shouldChooseNoneWithoutAMajority(Layout layout) {
        assertThat(Epochs.next(layout, new TreeMap<>())).isEmpty();
        for (int answering = 0; answering < 1 << layout.voters(); answering++) {
            SortedMap<Integer, Long> told = promised(layout, 0, answering);
            assertThat(Epochs.next(layout, told).isPresent())
                    .isEqualTo(layout.isMajority(told.keySet()));
        }
    }

    /** Of the bricks whose bits are set, the digits of the state. */
    private static SortedMap<Integer, Long> promised(Layout layout, int state, int answering) {
        SortedMap<Integer, Long> promised = new TreeMap<>();
        int rest = state;
        for (int brick = 0; brick < layout.voters(); brick++) {
            if ((answering >> brick & 1) != 0) {
                promised.put(brick, (long) (rest % EPOCHS));
            }
            rest /= EPOCHS;
        }
        return promised;
    }

    private static long highestOfAMajority(Layout layout, SortedMap<Integer, Long> promised) {
        long highest = -1;
        for (long epoch = 0; epoch < EPOCHS; epoch++) {
            List<Integer> bricks = new ArrayList<>();
            for (int brick : promised.keySet()) {
                if (promised.get(brick) >= epoch) {
                    bricks.add(brick);
                }
            }
            highest = layout.isMajority(bricks) ? epoch : highest;
        }
        return highest;
    }
}
