package io.quoin.qcow2.served;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.ClusterBits;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.refcount.ExcessReferences;
import org.agrona.collections.LongHashSet;

/**
 * What a check finds: told on, with leaks collected to be given back.
 *
 * <p>Threading: confined to the check.
 */
final class Findings implements CheckListener {
    /** Leaks to be given back at once; the others are left for another check. */
    private static final int LEAKS_MAX = 1 << 20;

    private final CheckListener listener;
    private final ClusterBits ahead = new ClusterBits();
    private final ExcessReferences leaks = new ExcessReferences();
    private final LongHashSet usedOnce = new LongHashSet();
    private long countedAhead;

    Findings(CheckListener listener, ClusterRuns countedAhead) {
        this.listener = listener;
        for (int i = 0; i < countedAhead.size(); i++) {
            long start = countedAhead.start(i);
            for (long cluster = start; cluster < start + countedAhead.count(i); cluster++) {
                ahead.set(cluster);
            }
        }
    }

    /** Leaks that can be given back while the image is open. */
    ExcessReferences leaks() {
        return leaks;
    }

    /** Clusters that were no leaks because they are counted ahead. */
    long countedAhead() {
        return countedAhead;
    }

    @Override
    public void progress(long done, long total) {
        listener.progress(done, total);
    }

    @Override
    public void finding(String text) {
        listener.finding(text);
    }

    @Override
    public boolean isCountedAhead(long cluster) {
        boolean isAhead = ahead.get(cluster);
        countedAhead += isAhead ? 1 : 0;
        return isAhead;
    }

    @Override
    public void leaked(long cluster, long count, long references) {
        if (leaks.size() < LEAKS_MAX) {
            leaks.add(cluster, count, references);
            if (references == 1) {
                usedOnce.add(cluster);
            }
        }
    }

    /** With a count of 1 the entry would have to say so: that is for the offline repair. */
    @Override
    public void shared(long cluster) {
        if (usedOnce.contains(cluster)) {
            leaks.remove(cluster);
        }
    }
}
