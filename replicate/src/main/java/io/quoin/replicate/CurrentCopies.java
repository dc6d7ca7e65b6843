package io.quoin.replicate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which bricks have the newest copy of a file, by what they have recorded, without a gateway.
 *
 * <p>Threading: immutable.
 */
public final class CurrentCopies {
    private final Layout layout;
    private final SortedMap<Integer, BrickMetadata> known = new TreeMap<>();

    /**
     * @param bricks what bricks have recorded of the file, by index; those that have nothing are
     *     left out
     */
    public CurrentCopies(Layout layout, SortedMap<Integer, BrickMetadata> bricks) {
        this.layout = layout;
        bricks.forEach(
                (brick, metadata) -> {
                    if (!metadata.config().isNone()) {
                        known.put(brick, metadata);
                    }
                });
    }

    /** Whether a brick that is not there can have recorded nothing newer that was committed. */
    public boolean isMajority() {
        return layout.isMajority(known.keySet());
    }

    /** The newest configuration recorded. */
    public Config newest() {
        return known.values().stream()
                .map(BrickMetadata::config)
                .max(CurrentCopies::compare)
                .orElse(Config.NONE);
    }

    private static int compare(Config one, Config other) {
        return one.isNewerThan(other) ? 1 : other.isNewerThan(one) ? -1 : 0;
    }

    /**
     * The bricks with a copy that is current by the newest configuration, those first that have
     * lost nothing since.
     */
    public List<Integer> current() {
        return inSync(newest());
    }

    /**
     * Bricks with the newest of the copies there are, though that may not be the newest of all:
     * where {@link #current} has none, or this is no majority.
     */
    public List<Integer> newestThereIs() {
        return known.entrySet().stream()
                .filter(each -> inSync(each.getValue().config()).contains(each.getKey()))
                .map(each -> each.getValue().config())
                .max(CurrentCopies::compare)
                .map(this::inSync)
                .orElse(List.of());
    }

    private List<Integer> inSync(Config config) {
        List<Integer> bricks = new ArrayList<>();
        known.forEach(
                (brick, metadata) -> {
                    Long expected = config.isr().get(brick);
                    boolean isSame =
                            expected != null
                                    && (config.epoch() == 0
                                            || Incarnation.isSame(expected, metadata.cacheEpoch()));
                    if (isSame && layout.isData(brick)) {
                        bricks.add(brick);
                    }
                });
        bricks.sort(Comparator.comparing(brick -> hasLost(config, brick)));
        return bricks;
    }

    private boolean hasLost(Config config, int brick) {
        Long expected = config.isr().get(brick);
        BrickMetadata metadata = known.get(brick);
        return expected == null || metadata == null || metadata.cacheEpoch() != expected;
    }
}
