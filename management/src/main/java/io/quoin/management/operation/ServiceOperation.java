package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * One thing that clients can ask for: of one volume, which most do (see {@link Operation}), or of
 * all volumes of a service.
 *
 * <p>Threading: thread-safe; may block.
 *
 * @param <Q> the request
 * @param <R> the result
 */
public interface ServiceOperation<Q extends Record, R extends Record> {
    OperationType<Q, R> type();

    /**
     * Does it.
     *
     * @param volume of names that have none; null: the default one, or the only one
     * @throws io.quoin.block.BlockException if it fails
     */
    R run(Q request, VolumeRegistry volumes, @Nullable String volume);
}
