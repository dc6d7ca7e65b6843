package io.quoin.qcow2.open;

import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.parents.ParentGuard;
import io.quoin.xlator.Xlator;

/**
 * What all images of an xlator are opened with.
 *
 * <p>Threading: immutable.
 *
 * @param subvolume has the files
 * @param guard knows which files others stand on
 * @param cacheBytes of slices that one image may have in memory
 * @param workers where clusters are compressed and decompressed
 */
public record OpenSetup(
        Xlator subvolume,
        ParentGuard guard,
        LoopMemories memory,
        long cacheBytes,
        DetectZeroes detectZeroes,
        CompressionWorkers workers) {}
