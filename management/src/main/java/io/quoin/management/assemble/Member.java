package io.quoin.management.assemble;

import java.util.SortedSet;

/**
 * One of what a volume is striped over, or all of one that is not: a folder, or a set of bricks
 * with the same data.
 *
 * <p>Threading: confined to its thread; blocks.
 */
interface Member {
    /** What people know it by. */
    String text();

    SortedSet<String> names();

    /**
     * A file of it.
     *
     * @throws io.quoin.block.BlockException if it has no current copy, naming file and bricks
     */
    SourceFile open(String name);

    /** Whether the file was closed in order by its last gateway. */
    boolean isClean(String name);
}
