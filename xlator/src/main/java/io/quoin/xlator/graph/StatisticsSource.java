package io.quoin.xlator.graph;

import java.util.Map;

/**
 * A node that counts.
 *
 * <p>Threading: thread-safe.
 */
public interface StatisticsSource {
    /**
     * What it has counted so far: plain values, lists and maps, by names that stay the same. Taken
     * without a lock on the data path, so figures of different counters may be a request apart.
     */
    Map<String, Object> statistics();
}
