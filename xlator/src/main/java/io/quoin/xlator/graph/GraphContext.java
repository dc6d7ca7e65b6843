package io.quoin.xlator.graph;

import io.quoin.xlator.loop.LoopGroup;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.file.Path;
import java.util.concurrent.Executor;

/**
 * What a graph gives its nodes.
 *
 * <p>Threading: immutable.
 *
 * @param loops the loops that files are opened on
 * @param blocking runs control-path work that may block: opening, listing, renaming
 * @param directory what relative paths in options are relative to
 * @param memory what caches and buffers are drawn from
 * @param states what nodes keep beyond the process
 */
public record GraphContext(
        LoopGroup loops,
        Executor blocking,
        Path directory,
        ProcessMemory memory,
        NodeStates states) {
    /** With nodes that keep nothing. */
    public GraphContext(LoopGroup loops, Executor blocking, Path directory, ProcessMemory memory) {
        this(loops, blocking, directory, memory, NodeStates.NONE);
    }

    /** With memory of the default size for this graph alone. */
    public GraphContext(LoopGroup loops, Executor blocking, Path directory) {
        this(loops, blocking, directory, ProcessMemory.ofDefault());
    }
}
