package io.quoin.replicate.volume;

import io.quoin.replicate.Completion;
import io.quoin.replicate.Payload;
import java.util.concurrent.CompletionStage;

/**
 * The copies of one file, as its gateway reads and writes them: ranges within one region, each
 * operation acknowledged once every in-sync member has it. What cannot be carried out now waits.
 * Completions may come within the call.
 *
 * <p>Threading: confined(loop), the file's.
 */
public interface Copies {
    /** The file's size, with what has been written past its end. */
    long sizeBytes();

    /** Reads; past the end are zeros. */
    void read(long offsetBytes, int lengthBytes, Completion completion);

    /** Writes; {@code isDurable}: and is done once that is durable. */
    void write(long offsetBytes, Payload data, boolean isDurable, Completion completion);

    /** Writes zeros; {@code mayUnmap}: their space may be given back. */
    void writeZeroes(
            long offsetBytes,
            int lengthBytes,
            boolean mayUnmap,
            boolean isDurable,
            Completion completion);

    /** Makes every write durable that was acknowledged before. */
    void flush(Completion completion);

    /** Cuts the file, or lets it grow; in order with writes. */
    void resize(long sizeBytes, Completion completion);

    /** Flushes and leaves the copies equal, so that the next one to open them copies nothing. */
    CompletionStage<Void> close();

    /**
     * Gives up: nothing is sent any more, and {@link #close}, called before or after, ends at once.
     * The next one to open the copies makes them equal.
     */
    void abort();
}
