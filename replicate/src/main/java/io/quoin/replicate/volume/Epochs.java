package io.quoin.replicate.volume;

import io.quoin.replicate.Layout;
import java.util.OptionalLong;
import java.util.SortedMap;

/**
 * Chooses the epoch to open a file with. It is stored nowhere: the bricks know it. A brick promises
 * an epoch to one gateway, and none that is not above those before, so of two gateways that choose
 * the same one at most one gets a majority; the other is fenced, and asks anew.
 *
 * <p>Threading: immutable.
 */
final class Epochs {
    private Epochs() {}

    /**
     * One above the highest that the bricks have promised; empty unless a majority has told. Every
     * majority has a brick in common with each that has promised an epoch, so it is above the epoch
     * of every gateway that has ever served.
     *
     * @param promised by brick, of those that answered
     */
    static OptionalLong next(Layout layout, SortedMap<Integer, Long> promised) {
        if (!layout.isMajority(promised.keySet())) {
            return OptionalLong.empty();
        }
        long highest = promised.values().stream().mapToLong(Long::longValue).max().orElse(0);
        return OptionalLong.of(Math.addExact(highest, 1));
    }
}
