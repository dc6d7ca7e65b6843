package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;

/**
 * Told how {@link OpenImage#cut} went: {@link #moment}, if there was one, and one of the others.
 *
 * <p>Threading: confined(loop).
 */
public interface CutListener {
    /** The moment has been, and guests go on. Not told if the round that follows is over before. */
    void moment();

    /**
     * There was a moment, and the tables on disk are those of it.
     *
     * @param l1 the L1 table then; its entries lead to tables that nothing changes as long as their
     *     references are put off or counted
     * @param sizeBytes the virtual size then
     */
    void cut(long[] l1, long sizeBytes);

    /** There was a moment, but its tables are not on disk; references are put off. */
    void lost(long[] l1, BlockError error);

    /** There was none, and nothing has changed. */
    void failed(BlockError error);
}
