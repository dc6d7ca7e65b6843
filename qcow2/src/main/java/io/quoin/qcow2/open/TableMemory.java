package io.quoin.qcow2.open;

import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A claim on memory for what an image keeps for as long as it is open: its first cluster, the L1
 * table with a reference for each entry, and the refcount table of one that is open for writing.
 *
 * <p>Threading: thread-safe.
 */
final class TableMemory {
    private static final long L1_ENTRY_BYTES = 12;

    private final ProcessMemory memory;
    private final long bytes;
    private final AtomicBoolean given = new AtomicBoolean();

    TableMemory(ProcessMemory memory, long bytes) {
        this.memory = memory;
        this.bytes = bytes;
    }

    static long bytesFor(Qcow2Header header, boolean writable) {
        return header.clusterSizeBytes()
                + L1_ENTRY_BYTES * header.l1Size()
                + (writable ? header.refcountTableBytes() : 0);
    }

    /** Once, however often it is called. */
    void giveBack() {
        if (given.compareAndSet(false, true)) {
            memory.giveBack(MemoryUse.TABLES, bytes);
        }
    }
}
