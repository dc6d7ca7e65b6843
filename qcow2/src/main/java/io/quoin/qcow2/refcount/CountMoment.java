package io.quoin.qcow2.refcount;

import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.Outcome;

/**
 * A moment at which each count is known to be at least the references in memory, but for clusters
 * that are told.
 *
 * <p>Threading: confined(loop).
 */
@FunctionalInterface
public interface CountMoment {
    /** Waits for it; one of both is told. */
    void await(Found found, Outcome failed);

    /** It is now; no count changes before the call returns. */
    @FunctionalInterface
    interface Found {
        /**
         * @param handedOut counted for a use to come
         * @param going still counted for references that are gone
         */
        void at(ClusterRuns handedOut, ClusterRuns going);
    }
}
