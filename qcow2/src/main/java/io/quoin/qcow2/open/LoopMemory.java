package io.quoin.qcow2.open;

import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.cluster.CowBuffers;
import io.quoin.qcow2.served.CheckTurns;
import java.util.Map;

/**
 * The memory that the images of a loop share.
 *
 * <p>Threading: confined(loop).
 *
 * @param checkTurns those of all loops: a check uses the heap of the process
 * @param bySize copies around writes, for each size of clusters
 */
record LoopMemory(SliceCache cache, CheckTurns checkTurns, Map<Integer, CowBuffers> bySize) {
    CowBuffers cowBuffers(int clusterSizeBytes) {
        return bySize.computeIfAbsent(clusterSizeBytes, CowBuffers::new);
    }
}
