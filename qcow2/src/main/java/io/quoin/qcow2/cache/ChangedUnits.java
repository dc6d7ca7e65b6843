package io.quoin.qcow2.cache;

import java.util.BitSet;

/**
 * The units of the L1 table that are changed in memory.
 *
 * <p>Threading: confined(loop).
 */
final class ChangedUnits {
    private final BitSet units = new BitSet();

    /** False if it was changed already. */
    boolean add(int unit) {
        if (units.get(unit)) {
            return false;
        }
        units.set(unit);
        return true;
    }

    boolean has(int unit) {
        return units.get(unit);
    }

    boolean isEmpty() {
        return units.isEmpty();
    }

    /** One behind the last; 0 where there is none. */
    int end() {
        return units.length();
    }

    void clear() {
        units.clear();
    }
}
