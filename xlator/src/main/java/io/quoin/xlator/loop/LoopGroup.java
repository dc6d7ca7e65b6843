package io.quoin.xlator.loop;

import java.util.List;

/**
 * The loops of a process.
 *
 * <p>Threading: thread-safe.
 */
public interface LoopGroup extends AutoCloseable {
    List<Loop> loops();

    /** A loop for the next thing to own, in turn. */
    Loop next();

    /** Ends the loops after the tasks that they have; waits for them. */
    @Override
    void close();
}
