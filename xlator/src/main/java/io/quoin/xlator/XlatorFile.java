package io.quoin.xlator;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * An open file of an xlator: the data path.
 *
 * <p>Threading: confined(loop), the loop that it was opened on; stages complete there.
 */
public interface XlatorFile extends BlockDevice {
    /** The name that it was opened by. */
    String fileName();

    /**
     * Changes the size; durable when the stage completes. The new part reads as zeros. Requests may
     * be in flight. Fails with ENOTSUP where the file cannot be resized that way.
     */
    CompletionStage<Void> resize(long newSizeBytes);

    /**
     * Makes the file smaller; what lies behind the new end is gone for good. Durable when the stage
     * completes. A call of its own, so that no caller of {@link #resize} loses data by mistake.
     * Fails with EINVAL for a size that is larger, with ENOTSUP where the file cannot shrink.
     */
    default CompletionStage<Void> shrink(long newSizeBytes) {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.ENOTSUP,
                        "file cannot be made smaller: file="
                                + fileName()
                                + ", size="
                                + newSizeBytes));
    }

    /**
     * Details for a person or a tool, by name: format, cluster size, backing file. Plain values,
     * lists and maps only.
     */
    Map<String, Object> details();

    /**
     * What an open file offers beyond the data path, by its type; empty where neither it nor what
     * it passes through to has that. Confined like the file itself.
     */
    default <T> Optional<T> extension(Class<T> type) {
        return type.isInstance(this) ? Optional.of(type.cast(this)) : Optional.empty();
    }

    /**
     * Gives up storage that does not answer: what is in flight, and what comes, ends in {@code
     * error} as soon as the storage lets it. Whether it was carried out is not known. Then comes
     * {@link #close}. A file whose requests end by themselves has nothing to do.
     */
    default void abort(BlockError error) {}

    /**
     * Flushes and closes. Called once; the file is closed even if the stage fails, which says what
     * may have been lost. Requests may be in flight when it is called through a boundary, which has
     * them ended before the file below hears of it.
     */
    CompletionStage<Void> close();
}
