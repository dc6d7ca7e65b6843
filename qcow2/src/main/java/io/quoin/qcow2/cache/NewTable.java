package io.quoin.qcow2.cache;

/**
 * An L2 table whose place on disk has not been written as a whole yet, where that has to be done
 * before anything leads to it: the place was used before, or the table is a copy.
 *
 * <p>Threading: immutable.
 *
 * @param l1Index which table
 * @param hostOffset its new place
 * @param sourceHostOffset where the slices that are not changed are read from; 0: they are zeros
 */
record NewTable(int l1Index, long hostOffset, long sourceHostOffset) {}
