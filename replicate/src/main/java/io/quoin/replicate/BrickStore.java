package io.quoin.replicate;

import java.util.BitSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One file on a brick. Completions come later, never within the call, on the brick's thread; none
 * comes after the process has ended. Ranges lie within one region. Bytes are read as the writes and
 * resizes were called, not as they completed, where they overlap.
 */
public interface BrickStore {
    /**
     * Appends to the brick's metadata log. What survives a crash is a prefix of the records, with
     * every one whose {@code durable} has run. A log that cannot be written ends the process.
     */
    void append(MetaRecord record, Runnable durable);

    /** The file's size: the end of the furthest write so far, or what it was resized to since. */
    long sizeBytes();

    /** Writes, perhaps to the page cache alone. A file that is too short grows. */
    void write(long offsetBytes, Payload data, Consumer<StoreResult> done);

    /**
     * Writes zeros. A file that is too short grows.
     *
     * @param mayUnmap whether the space may be given back
     */
    void writeZeroes(
            long offsetBytes, int lengthBytes, boolean mayUnmap, Consumer<StoreResult> done);

    /**
     * Reads; past the end are zeros. The checksums of the blocks are verified, those excepted that
     * have been written since their region was bound last.
     *
     * @param done takes the bytes, or null: an error, or a block that is not what was bound
     */
    void read(long offsetBytes, int lengthBytes, Consumer<@Nullable Payload> done);

    /**
     * Makes the writes and resizes that completed before the call durable. After {@code false} any
     * of them may be lost, and a later success says nothing of them.
     */
    void sync(Consumer<Boolean> done);

    /**
     * Computes the checksums of the blocks written in these regions since they were bound last, and
     * makes them durable; {@code true} is success. What is written before the call is durable; a
     * block that is written after it is not bound. Where a process cannot know which blocks the one
     * before it has written, it binds all of the region.
     */
    void bind(BitSet regions, Consumer<Boolean> done);

    /** Cuts the file, or lets it grow; what is new reads as zeros, whatever was there before. */
    void resize(long sizeBytes, Consumer<StoreResult> done);
}
