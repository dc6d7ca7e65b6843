package io.quoin.qcow2.cache;

import io.quoin.block.Invariant;
import java.util.BitSet;

/**
 * The units of the L1 table that are changed in memory.
 *
 * <p>Threading: confined(loop).
 */
final class ChangedUnits {
    private final BitSet units = new BitSet();
    private int count;

    /** False if it was changed already. */
    boolean add(int unit) {
        if (units.get(unit)) {
            return false;
        }
        units.set(unit);
        count++;
        return true;
    }

    boolean has(int unit) {
        return units.get(unit);
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** The table has so many units now. */
    void requireWithin(int unitCount) {
        Invariant.check(units.length() <= unitCount, "changed L1 entries are cut off");
    }

    void clear() {
        units.clear();
        count = 0;
    }
}
