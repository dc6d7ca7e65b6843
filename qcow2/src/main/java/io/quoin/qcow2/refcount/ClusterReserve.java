package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.Steps;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Clusters that are counted on disk ahead of their use, so that an allocation waits for no disk and
 * a guest flush needs no flush of its own for refcounts.
 *
 * <p>Threading: confined(loop).
 */
final class ClusterReserve {
    private static final long BYTES_MIN = 1 << 20;
    private static final long BYTES_MAX = 64 << 20;
    private static final int CLUSTERS_MIN = 8;

    /** An eighth of the file. */
    private static final int GROWTH_SHIFT = 3;

    private final int clusterBits;
    private final int clustersMax;
    private final ArrayDeque<ReservedRun> ready = new ArrayDeque<>();
    private List<Steps> waiters = new ArrayList<>();
    private int readyCount;
    private long scanCursor;
    private long end;
    private long writtenEnd;

    /**
     * @param end the first cluster behind the end of the file
     * @param blockEntries of a refcount block; bounds the work of a reservation where clusters are
     *     tiny
     */
    ClusterReserve(int clusterBits, long end, int blockEntries) {
        this.clusterBits = clusterBits;
        this.end = end;
        this.clustersMax = Math.max(CLUSTERS_MIN, 8 * blockEntries);
    }

    /** How many clusters to hold ready. */
    int target() {
        long bytes =
                Math.max(BYTES_MIN, Math.min(BYTES_MAX, (end << clusterBits) >>> GROWTH_SHIFT));
        return (int) Math.max(CLUSTERS_MIN, Math.min(bytes >>> clusterBits, clustersMax));
    }

    int readyCount() {
        return readyCount;
    }

    /** Up to {@code countMax} contiguous clusters of one run; null if none is ready. */
    @Nullable Allocation take(int countMax, Allocation into) {
        ReservedRun run = ready.peek();
        if (run == null) {
            return null;
        }
        int count = Math.min(countMax, run.count);
        into.set(run.start, count, run.fresh);
        run.start += count;
        run.count -= count;
        readyCount -= count;
        if (run.count == 0) {
            ready.remove();
        }
        return into;
    }

    /** Adds the clusters that are ready. */
    void addReady(ClusterRuns into) {
        for (ReservedRun run : ready) {
            into.add(run.start, run.count);
        }
    }

    /** Puts back clusters that were taken and not linked; their content is unknown now. */
    void putBack(long start, int count) {
        ready.addLast(new ReservedRun(start, count, false));
        readyCount += count;
    }

    void await(Steps waiter) {
        waiters.add(waiter);
    }

    boolean hasWaiters() {
        return !waiters.isEmpty();
    }

    void publish(List<ReservedRun> runs) {
        for (ReservedRun run : runs) {
            ready.addLast(run);
            readyCount += run.count;
        }
        answer(BlockError.OK);
    }

    /** Resumes those that wait; if {@code error} is none, to try again. */
    void answer(BlockError error) {
        List<Steps> all = waiters;
        waiters = new ArrayList<>();
        Steps.resumeAll(all, error);
    }

    /** Everything that is still reserved, which is nothing afterwards. */
    List<ReservedRun> drain() {
        List<ReservedRun> runs = new ArrayList<>(ready);
        ready.clear();
        readyCount = 0;
        return runs;
    }

    /** A count has become 0. */
    void freed(long clusterIndex) {
        scanCursor = Math.min(scanCursor, clusterIndex);
    }

    /** Where to look for the next freed cluster. */
    long scanCursor() {
        return scanCursor;
    }

    void scanCursor(long newCursor) {
        scanCursor = newCursor;
    }

    /** The first cluster that was never used or reserved. */
    long end() {
        return end;
    }

    /** Before {@code cluster} there may be something that was written in vain. */
    void writtenUpTo(long cluster) {
        writtenEnd = Math.max(writtenEnd, cluster);
    }

    /** Whether a cluster that is passed by the end now was never written. */
    boolean isFresh(long cluster) {
        return cluster >= writtenEnd;
    }

    void passEnd() {
        end++;
    }

    void passEnd(long newEnd) {
        end = newEnd;
    }
}
