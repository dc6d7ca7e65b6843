package io.quoin.xlator.graph;

import java.util.Set;

/**
 * A node some of whose options may be changed while it runs.
 *
 * <p>Threading: thread-safe.
 */
public interface Reconfigurable {
    /** The names of those options. */
    Set<String> liveOptions();

    /**
     * Takes over the live ones among {@code options}, for open files too; the others are as they
     * were when the node was made.
     *
     * @throws io.quoin.block.BlockException if a value cannot be used; then nothing has changed
     */
    void reconfigure(OptionValues options);
}
