package io.quoin.qcow2;

import io.quoin.qcow2.cache.SliceCache;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The caches of metadata, one for each loop.
 *
 * <p>Threading: thread-safe.
 */
final class SliceCaches {
    private final ProcessMemory memory;
    private final int loops;
    private final Map<Loop, SliceCache> caches = new ConcurrentHashMap<>();

    /**
     * @param loops that share the memory
     */
    SliceCaches(ProcessMemory memory, int loops) {
        this.memory = memory;
        this.loops = Math.max(1, loops);
    }

    SliceCache of(Loop loop) {
        return caches.computeIfAbsent(loop, owner -> new SliceCache(owner, memory, loops));
    }

    /** Gives the memory back; no image is open any more. */
    void close() {
        caches.values().forEach(SliceCache::close);
        caches.clear();
    }
}
