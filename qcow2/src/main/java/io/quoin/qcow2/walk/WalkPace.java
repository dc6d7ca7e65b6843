package io.quoin.qcow2.walk;

import java.util.concurrent.TimeUnit;

/**
 * How long work on tables rests, so that guests are not held up by it.
 *
 * <p>Threading: called on the owner loop.
 */
@FunctionalInterface
public interface WalkPace {
    /** It only gives way. */
    WalkPace NO_REST = tableEnded -> 0;

    /** A millisecond after each table. */
    WalkPace LEISURELY = tableEnded -> tableEnded ? TimeUnit.MILLISECONDS.toNanos(1) : 0;

    /**
     * Asked behind each slice of a table.
     *
     * @param tableEnded whether it was the last that is wanted
     * @return nanoseconds; 0: it gives way and goes on
     */
    long restNanos(boolean tableEnded);
}
