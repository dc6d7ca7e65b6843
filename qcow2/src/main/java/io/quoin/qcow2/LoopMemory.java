package io.quoin.qcow2;

import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.cluster.CowBuffers;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory that the images of a loop share.
 *
 * <p>Threading: confined(loop).
 */
final class LoopMemory {
    private final SliceCache cache;
    private final Map<Integer, CowBuffers> cowBuffers = new HashMap<>();

    LoopMemory(SliceCache cache) {
        this.cache = cache;
    }

    SliceCache cache() {
        return cache;
    }

    CowBuffers cowBuffers(int clusterSizeBytes) {
        return cowBuffers.computeIfAbsent(clusterSizeBytes, CowBuffers::new);
    }
}
