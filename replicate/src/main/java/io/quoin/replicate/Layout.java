package io.quoin.replicate;

import java.util.Collection;

/**
 * The voters of a replica set. Voters are numbered from 0; data bricks come first, an arbiter last.
 */
public enum Layout {
    /** One brick. */
    ONE(1, 1),
    /** Two bricks, of which the first has two votes. */
    TWO(2, 2),
    /** Two bricks and an arbiter without data. */
    TWO_ARBITER(2, 3),
    /** Three bricks. */
    THREE(3, 3);

    private final int dataBricks;
    private final int voters;

    Layout(int dataBricks, int voters) {
        this.dataBricks = dataBricks;
        this.voters = voters;
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
        int total = 0;
        int given = 0;
        for (int brick = 0; brick < voters; brick++) {
            int votes = this == TWO && brick == 0 ? 2 : 1;
            total += votes;
            given += bricks.contains(brick) ? votes : 0;
        }
        return 2 * given > total;
    }
}
