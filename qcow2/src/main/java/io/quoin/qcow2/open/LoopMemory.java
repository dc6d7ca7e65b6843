package io.quoin.qcow2.open;

import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.cluster.CowBuffers;
import io.quoin.qcow2.served.CheckTurns;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory that the images of a loop share.
 *
 * <p>Threading: confined(loop).
 */
final class LoopMemory {
    private final SliceCache cache;
    private final CheckTurns checkTurns;
    private final Map<Integer, CowBuffers> cowBuffers = new HashMap<>();

    LoopMemory(SliceCache cache, CheckTurns checkTurns) {
        this.cache = cache;
        this.checkTurns = checkTurns;
    }

    SliceCache cache() {
        return cache;
    }

    /** Those of all loops: a check uses the heap of the process. */
    CheckTurns checkTurns() {
        return checkTurns;
    }

    CowBuffers cowBuffers(int clusterSizeBytes) {
        return cowBuffers.computeIfAbsent(clusterSizeBytes, CowBuffers::new);
    }
}
