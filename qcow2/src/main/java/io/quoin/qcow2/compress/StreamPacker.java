package io.quoin.qcow2.compress;

import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.refcount.Allocation;
import io.quoin.qcow2.refcount.Refcounts;
import java.util.function.LongConsumer;

/**
 * Finds places for compressed clusters, one behind the other, so that they share host clusters.
 *
 * <p>The cluster that is being filled has a reference of the packer's own, the one with which it
 * was reserved: whatever happens to the streams in it, it is not free before the packer leaves it.
 * Each stream adds one to every host cluster that it touches. When the packer leaves a cluster its
 * own reference becomes that of a stream whose reference is not counted yet, or is dropped. A crash
 * before that leaves a count too high by one: a leak.
 *
 * <p>Where counts are narrow a cluster is left when it can hold no more of them.
 *
 * <p>Threading: confined(loop).
 */
public final class StreamPacker {
    private static final long NONE = -1;

    private final Refcounts refcounts;
    private final LongConsumer drop;
    private final int clusterBits;
    private final int clusterSize;
    private final int blockSize;
    private final Allocation allocation = new Allocation();
    private long cluster = NONE;
    private int used;

    /** Of the cluster, the packer's own one included; those that went away are not taken off. */
    private long references;

    /**
     * @param blockSize what writes to the file have to be multiples of
     * @param drop takes a cluster that loses a reference
     */
    public StreamPacker(Refcounts refcounts, int clusterBits, int blockSize, LongConsumer drop) {
        this.refcounts = refcounts;
        this.clusterBits = clusterBits;
        this.clusterSize = 1 << clusterBits;
        this.blockSize = blockSize;
        this.drop = drop;
    }

    /** What follows will be written by itself: it shares no block with what came before. */
    public void startWrite() {
        used = (used + blockSize - 1) & -blockSize;
    }

    /**
     * Gives a place to a stream of at most a cluster; its references are added.
     *
     * @return the host offset, or -1 if clusters have to be waited for
     */
    public long place(int lengthBytes) {
        int room = cluster == NONE ? 0 : clusterSize - used;
        if (lengthBytes <= room) {
            long hostOffset = (cluster << clusterBits) + used;
            used += lengthBytes;
            refer();
            return hostOffset;
        }
        if (refcounts.take(1, allocation) == null) {
            return -1;
        }
        long next = allocation.start();
        long hostOffset = next << clusterBits;
        int before = 0;
        if (room > 0 && next == cluster + 1) {
            hostOffset = (cluster << clusterBits) + used;
            before = room;
            refer();
        }
        leave();
        cluster = next;
        references = 1;
        used = lengthBytes - before;
        refer();
        return hostOffset;
    }

    private void refer() {
        refcounts.raise(cluster);
        references++;
        boolean isFull = Long.compareUnsigned(references, refcounts.countMax()) > 0;
        if (isFull || used >= clusterSize) {
            leave();
        }
    }

    /** Adds the cluster that is being filled, which has a reference more than its streams. */
    public void addCurrent(ClusterRuns into) {
        if (cluster != NONE) {
            into.add(cluster);
        }
    }

    /** Lets go of the cluster that is being filled. */
    public void leave() {
        if (cluster == NONE) {
            return;
        }
        if (!refcounts.takeBack(cluster)) {
            drop.accept(cluster);
        }
        cluster = NONE;
        used = 0;
    }
}
