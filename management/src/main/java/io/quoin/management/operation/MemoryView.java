package io.quoin.management.operation;

import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.Arrays;
import java.util.List;

/**
 * What status tells of the memory for caches and buffers.
 *
 * <p>Threading: immutable.
 *
 * @param limitBytes for all of them, as {@code --memory} says
 * @param uses what it is used for
 */
public record MemoryView(long limitBytes, List<Use> uses) {
    public static MemoryView of(ProcessMemory memory) {
        return new MemoryView(
                memory.totalBytes(),
                Arrays.stream(MemoryUse.values())
                        .map(
                                use ->
                                        new Use(
                                                use.text(),
                                                memory.usedBytes(use),
                                                memory.limitBytes(use)))
                        .toList());
    }

    /**
     * One use.
     *
     * @param name of it
     * @param usedBytes taken at the moment
     * @param limitBytes its share
     */
    public record Use(String name, long usedBytes, long limitBytes) {}
}
