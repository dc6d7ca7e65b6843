package io.quoin.replicate.volume;

import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.Config;
import io.quoin.replicate.Layout;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/**
 * What the bricks say of a file together.
 *
 * <p>Threading: immutable.
 *
 * @param answers by brick, of those that answered
 */
record Probes(Layout layout, SortedMap<Integer, BrickProbe> answers) {
    /** Whether a brick has ever heard of it. */
    boolean isThere() {
        return highest() > 0;
    }

    private long highest() {
        return answers.values().stream().mapToLong(BrickProbe::promised).max().orElse(0);
    }

    /** The epoch to open it with; empty unless a majority has answered. */
    OptionalLong nextEpoch() {
        SortedMap<Integer, Long> promised = new TreeMap<>();
        answers.forEach((brick, probe) -> promised.put(brick, probe.promised()));
        return Epochs.next(layout, promised);
    }

    /** The newest configuration, in which the sizes count. */
    private Config newest() {
        Config newest = Config.initial(layout);
        for (BrickProbe probe : answers.values()) {
            newest = probe.config().isNewerThan(newest) ? probe.config() : newest;
        }
        return newest;
    }

    /**
     * Whether a gateway of another process may have the file: the one of the newest promise was
     * heard from lately, has not said that it is done, and may reach a majority. One that most
     * bricks do not hear of any more cannot do anything.
     *
     * @param isOwn of a gateway's id: whether it is of this process, where no other one lives
     */
    boolean isAttended(LongPredicate isOwn) {
        long highest = highest();
        Config newest = newest();
        if (newest.isClean() && newest.epoch() == highest) {
            return false;
        }
        boolean isHeard = false;
        Set<Integer> perhaps = new HashSet<>();
        for (int brick = 0; brick < layout.voters(); brick++) {
            BrickProbe probe = answers.get(brick);
            boolean hears = probe != null && isAttended(probe, highest, isOwn);
            isHeard |= hears;
            if (hears || probe == null) {
                perhaps.add(brick);
            }
        }
        return isHeard && layout.isMajority(perhaps);
    }

    private static boolean isAttended(BrickProbe probe, long highest, LongPredicate isOwn) {
        return probe.isAttended() && probe.promised() == highest && !isOwn.test(probe.gateway());
    }

    /** The brick whose size counts while no gateway has the file. */
    private BrickProbe source() {
        Config newest = newest();
        return answers.entrySet().stream()
                .filter(answer -> newest.isr().containsKey(answer.getKey()))
                .findFirst()
                .or(() -> answers.entrySet().stream().findFirst())
                .orElseThrow()
                .getValue();
    }

    long sizeBytes() {
        return source().sizeBytes();
    }

    long allocatedBytes() {
        return source().allocatedBytes();
    }
}
