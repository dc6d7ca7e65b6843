package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which copies are current, by what bricks have recorded. */
class CurrentCopiesTest {
    private static final Layout LAYOUT = Layout.THREE;

    private final long[] epochs = {incarnation(1), incarnation(2), incarnation(3)};
    private final SortedMap<Integer, BrickMetadata> bricks = new TreeMap<>();

    private static long incarnation(int seed) {
        return Incarnation.firstCacheEpoch((long) seed << 40);
    }

    private void has(int brick, Config config) {
        BrickMetadata metadata = BrickMetadata.blank(brick, LAYOUT, epochs[brick]);
        metadata.apply(new MetaRecord.ConfigAccepted(config));
        bricks.put(brick, metadata);
    }

    private Config config(long k, int... inSync) {
        SortedMap<Integer, Long> isr = new TreeMap<>();
        for (int brick : inSync) {
            isr.put(brick, epochs[brick]);
        }
        return new Config(5, k, isr, false);
    }

    private CurrentCopies copies() {
        return new CurrentCopies(LAYOUT, bricks);
    }

    @Test
    void shouldLeaveOutABrickThatTheNewestConfigurationDropped() {
        has(0, config(2, 0, 1));
        has(2, config(1, 0, 1, 2));
        assertThat(copies().isMajority()).isTrue();
        assertThat(copies().current()).containsExactly(0);
        has(1, config(2, 0, 1));
        assertThat(copies().current()).containsExactly(0, 1);
    }

    @Test
    void shouldKnowNothingFromAMinority() {
        has(2, config(1, 0, 1, 2));
        assertThat(copies().isMajority()).isFalse();
        assertThat(copies().newestThereIs()).containsExactly(2);
    }

    @Test
    void shouldPreferABrickThatHasLostNothing() {
        has(0, config(1, 0, 1, 2));
        has(1, config(1, 0, 1, 2));
        bricks.get(0).apply(new MetaRecord.CacheLost());
        assertThat(copies().current()).containsExactly(1, 0);
    }

    @Test
    void shouldNotTakeABrickFormattedAnewForTheOneBefore() {
        has(0, config(3, 1, 2));
        Config before = config(3, 1, 2);
        epochs[1] = incarnation(9);
        has(1, before);
        assertThat(copies().isMajority()).isTrue();
        assertThat(copies().current()).isEmpty();
        bricks.put(1, BrickMetadata.blank(1, LAYOUT, epochs[1]));
        assertThat(copies().isMajority()).as("it knows nothing").isFalse();
    }

    @Test
    void shouldCountEveryCopyOfAFileThatWasNeverOpened() {
        bricks.putAll(
                Map.of(
                        0, new BrickMetadata(0, LAYOUT),
                        1, new BrickMetadata(1, LAYOUT)));
        assertThat(copies().current()).containsExactly(0, 1);
    }
}
