package io.quoin.qcow2.refcount;

/**
 * Clusters whose count is 1 on disk and to which nothing points yet.
 *
 * <p>Threading: confined(loop).
 */
final class ReservedRun {
    long start;
    int count;

    /** Never used before: the file has zeros there. */
    final boolean fresh;

    ReservedRun(long start, int count, boolean fresh) {
        this.start = start;
        this.count = count;
        this.fresh = fresh;
    }
}
