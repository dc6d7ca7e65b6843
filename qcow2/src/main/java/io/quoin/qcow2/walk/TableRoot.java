package io.quoin.qcow2.walk;

import org.jspecify.annotations.Nullable;

/**
 * Where a {@link TableWalk} begins.
 *
 * <p>Threading: immutable.
 *
 * @param hostOffset of a table that does not change
 * @param first the first entry that is walked
 * @param end the entry behind the last one
 * @param source of the table and of those that it leads to; null: the active L1, as it is in memory
 * @param hasTables whether entries lead to L2 tables; else nothing is entered
 */
public record TableRoot(
        long hostOffset, int first, int end, @Nullable TableSource source, boolean hasTables) {
    /** The active L1 from {@code first} to before {@code end}, or to where it ends by then. */
    public static TableRoot active(int first, int end) {
        return new TableRoot(0, first, end, null, true);
    }

    /** An L1 table that nothing changes, as that of a snapshot. */
    public static TableRoot l1(long hostOffset, int entries, TableSource source) {
        return new TableRoot(hostOffset, 0, entries, source, true);
    }

    /** A table of pointers to clusters, as that of a bitmap. */
    public static TableRoot pointers(long hostOffset, int entries, TableSource source) {
        return new TableRoot(hostOffset, 0, entries, source, false);
    }
}
