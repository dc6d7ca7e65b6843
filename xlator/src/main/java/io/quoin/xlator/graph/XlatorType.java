package io.quoin.xlator.graph;

import io.quoin.xlator.Xlator;
import java.util.List;

/**
 * A kind of xlator that a volfile may name. Implementations are found by {@link
 * java.util.ServiceLoader}.
 *
 * <p>Threading: immutable.
 */
public interface XlatorType {
    /** As in the volfile's {@code type} line, for example {@code storage/posix}. */
    String type();

    /** The options that it understands. */
    OptionTable options();

    /** The fewest subvolumes that it needs. */
    int subvolumesMin();

    /** The most subvolumes that it takes. */
    int subvolumesMax();

    /**
     * Checks what is more than a value's type, without making anything.
     *
     * @param name of the node, for messages
     * @throws io.quoin.block.BlockException if a value cannot be used
     */
    default void check(String name, OptionValues options) {}

    /**
     * Makes a node. The subvolumes given are already behind their checked boundary.
     *
     * @throws io.quoin.block.BlockException if an option's value cannot be used, or what it names
     *     cannot be opened
     */
    Xlator create(String name, OptionValues options, List<Xlator> subvolumes, GraphContext context);
}
