package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.served.CheckTurns;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The memory of open images: what those of a loop share, and what each has for itself.
 *
 * <p>Threading: thread-safe.
 */
public final class LoopMemories {
    private final ProcessMemory memory;
    private final int loops;
    private final CheckTurns checkTurns = new CheckTurns();
    private final Map<Loop, LoopMemory> byLoop = new ConcurrentHashMap<>();

    /**
     * @param loops that share the memory
     */
    public LoopMemories(ProcessMemory memory, int loops) {
        this.memory = memory;
        this.loops = Math.max(1, loops);
    }

    LoopMemory of(Loop loop) {
        return byLoop.computeIfAbsent(
                loop,
                owner ->
                        new LoopMemory(
                                new SliceCache(owner, memory, loops), checkTurns, new HashMap<>()));
    }

    /**
     * Claims memory for the tables of an image that is going to be opened, before they are read.
     *
     * @throws BlockException ENOMEM if other open images have it
     */
    TableMemory tables(String fileName, Qcow2Header header, boolean writable) {
        long bytes = TableMemory.bytesFor(header, writable);
        if (memory.usedBytes(MemoryUse.TABLES) <= memory.limitBytes(MemoryUse.TABLES) / 2) {
            // Also one that is larger than the share.
            memory.take(MemoryUse.TABLES, bytes);
        } else if (!memory.tryTake(MemoryUse.TABLES, bytes)) {
            throw new BlockException(
                    BlockError.ENOMEM,
                    "no memory for the tables of the image: file="
                            + fileName
                            + ", bytes="
                            + bytes
                            + ", used="
                            + memory.usedBytes(MemoryUse.TABLES)
                            + ", expected=within "
                            + memory.limitBytes(MemoryUse.TABLES)
                            + "; close other disks, or see --memory of quoin serve");
        }
        return new TableMemory(memory, bytes);
    }

    /** Gives the memory back; no image is open any more. */
    public void close() {
        byLoop.values().forEach(loop -> loop.cache().close());
        byLoop.clear();
    }
}
