package io.quoin.replicate;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A brick's files. Completions come later, never within the call, on the brick's thread; none comes
 * after the process has ended.
 */
public interface BrickStore {
    /**
     * Appends to the metadata log. What survives a crash is a prefix of the records, with every one
     * whose {@code durable} has run. A log that cannot be written ends the process.
     */
    void append(MetaRecord record, Runnable durable);

    /** Writes a block, perhaps to the page cache alone; {@code true} is success. */
    void write(int block, BlockData data, Consumer<Boolean> done);

    /** Reads a block; null is an error. */
    void read(int block, Consumer<@Nullable BlockData> done);

    /**
     * Makes the writes that completed before the call durable. After {@code false} any of them may
     * be lost, and a later success says nothing of them.
     */
    void sync(Consumer<Boolean> done);
}
