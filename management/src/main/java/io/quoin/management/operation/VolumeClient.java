package io.quoin.management.operation;

/**
 * Has operations carried out on one volume: in this process, or by the service of its data folder.
 *
 * <p>Threading: as the implementation says.
 */
public interface VolumeClient extends AutoCloseable {
    /**
     * Carries out one operation.
     *
     * @throws io.quoin.block.BlockException if it fails
     */
    <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request);

    @Override
    void close();
}
