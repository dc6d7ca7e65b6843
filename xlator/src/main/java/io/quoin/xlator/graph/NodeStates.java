package io.quoin.xlator.graph;

import io.quoin.block.BlockException;
import java.util.Optional;

/**
 * What the nodes of a graph keep beyond the process: a little each, that is rarely written.
 *
 * <p>Threading: thread-safe; blocks.
 */
public interface NodeStates {
    /** Keeps nothing. */
    NodeStates NONE =
            new NodeStates() {
                @Override
                public Optional<byte[]> read(String node) {
                    return Optional.empty();
                }

                @Override
                public void write(String node, byte[] content) {
                    // It is gone with the process.
                }
            };

    /**
     * What a node has written last; empty if it has written nothing.
     *
     * @throws BlockException if it cannot be read
     */
    Optional<byte[]> read(String node);

    /**
     * Keeps that in the place of what the node has written before, in one step; durable on return.
     *
     * @throws BlockException if it cannot; then what was kept before still is
     */
    void write(String node, byte[] content);
}
