package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * One thing that can be done with a volume.
 *
 * <p>Threading: thread-safe; may block.
 *
 * @param <Q> the request
 * @param <R> the result
 */
public interface Operation<Q extends Record, R extends Record> extends ServiceOperation<Q, R> {
    /**
     * Does it.
     *
     * @throws io.quoin.block.BlockException if it fails
     */
    R run(Q request, ManagedVolume volume);

    @Override
    default R run(Q request, VolumeRegistry volumes, @Nullable String volume) {
        Addressed<Q> addressed = Addressed.of(request, volume);
        return run(addressed.request(), volumes.get(addressed.volume()));
    }
}
