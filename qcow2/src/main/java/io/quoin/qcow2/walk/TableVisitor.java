package io.quoin.qcow2.walk;

import io.quoin.qcow2.io.Steps;

/**
 * What is done with the entries that a {@link TableWalk} comes to. A call takes some ten
 * microseconds at most, and may stop the walk.
 *
 * <p>Threading: called on the owner loop.
 */
public interface TableVisitor {
    /**
     * Whether it has to wait before it can take more; asked before each call below.
     *
     * @param walk to be resumed then
     */
    default boolean mustWait(Steps walk) {
        return false;
    }

    /**
     * An entry of the root that is not 0; of the active L1, one that has a table. It is not checked
     * yet. If the entry changes while its table is walked, it is seen again.
     *
     * @return whether its table is walked
     */
    boolean enter(int index, long entry);

    /**
     * Some words of the table that was entered last, in the table's order.
     *
     * @return whether the rest of the table is wanted
     */
    default boolean see(int index, TableWords words) {
        return true;
    }

    /**
     * A table has been walked.
     *
     * @param whole whether all of it was wanted
     */
    default void leave(int index, boolean whole) {}
}
