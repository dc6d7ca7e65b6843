package io.quoin.replicate;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * The voters of a replica set. Voters are numbered from 0; data bricks come first, an arbiter last.
 */
public enum Layout {
    /** One brick. */
    ONE("replica-1", 1, 1),
    /** Two bricks, of which the first has two votes. */
    TWO("replica-2", 2, 2),
    /** Two bricks and an arbiter without data. */
    TWO_ARBITER("replica-2-arbiter", 2, 3),
    /** Three bricks. */
    THREE("replica-3", 3, 3);

    private final String text;
    private final int dataBricks;
    private final int voters;

    Layout(String text, int dataBricks, int voters) {
        this.text = text;
        this.dataBricks = dataBricks;
        this.voters = voters;
    }

    /** As volfiles have it. */
    public String text() {
        return text;
    }

    /** The texts of all. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(Layout::text).toList();
    }

    /** The layout of a text; one of {@link #texts}. */
    public static Layout of(String text) {
        return Arrays.stream(values())
                .filter(layout -> layout.text.equals(text))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "unknown layout: value=" + text + ", expected=" + texts()));
    }

    /** Count of bricks with a copy. */
    public int dataBricks() {
        return dataBricks;
    }

    /** Count of bricks that vote, the arbiter included. */
    public int voters() {
        return voters;
    }

    /** Whether the brick has a copy. */
    public boolean isData(int brick) {
        return brick < dataBricks;
    }

    /** Whether these bricks have more than half of the votes. */
    public boolean isMajority(Collection<Integer> bricks) {
        int set = 0;
        for (int brick : bricks) {
            set |= 1 << brick;
        }
        return isMajority(set);
    }

    /** As {@link #isMajority(Collection)}, of a set with a bit for each brick. */
    boolean isMajority(int bricks) {
        int total = 0;
        int given = 0;
        for (int brick = 0; brick < voters; brick++) {
            int votes = this == TWO && brick == 0 ? 2 : 1;
            total += votes;
            given += (bricks & 1 << brick) != 0 ? votes : 0;
        }
        return 2 * given > total;
    }
}
