package io.quoin.management.operation;

/**
 * One thing that can be done with a volume.
 *
 * <p>Threading: thread-safe; may block.
 *
 * @param <Q> the request
 * @param <R> the result
 */
public interface Operation<Q extends Record, R extends Record> {
    OperationType<Q, R> type();

    /**
     * Whether it reads or writes files of this machine by names that the client gives: with the
     * rights of the service, and so for clients of the control socket alone.
     */
    default boolean namesFiles() {
        return false;
    }

    /**
     * Does it.
     *
     * @throws io.quoin.block.BlockException if it fails
     */
    R run(Q request, ManagedVolume volume);
}
