package io.quoin.qcow2.cluster;

import io.quoin.xlator.loop.Loop;
import org.jspecify.annotations.Nullable;

/**
 * Counts the changes of guests from their start to their end. Range locks do not tell that: a long
 * change lets go of its range half-way and takes the next part later.
 *
 * <p>A wait is for the changes that are under way at that moment, and not for those that begin
 * afterwards, of which there may always be one. So there are two counts, of which new changes use
 * the other one from then on; it is 0, since the wait before was for that.
 *
 * <p>Threading: confined(loop).
 */
final class ChangesUnderWay {
    private final Loop loop;
    private final int[] counts = new int[2];
    private int current;
    private @Nullable Runnable whenEnded;

    ChangesUnderWay(Loop loop) {
        this.loop = loop;
    }

    /** A change begins. Gives what to tell {@link #end} of it. */
    int begin() {
        counts[current]++;
        return current;
    }

    void end(int countedAs) {
        counts[countedAs]--;
        if (countedAs != current) {
            runIfEnded();
        }
    }

    /** Runs {@code task}, later, when all changes that have begun have ended. One at a time. */
    void await(Runnable task) {
        current ^= 1;
        whenEnded = task;
        runIfEnded();
    }

    private void runIfEnded() {
        Runnable task = whenEnded;
        if (task != null && counts[current ^ 1] == 0) {
            whenEnded = null;
            // Not from inside the last one, which is not out of its step yet.
            loop.execute(task);
        }
    }
}
