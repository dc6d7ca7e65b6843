package io.quoin.qcow2.refcount;

/**
 * How many references to each cluster of a window of the file a walk has seen. A cluster leaves the
 * window when its use changes meanwhile: what was seen of it may be what is not there any more.
 *
 * <pre>
 *  a state for each cluster, 16 bits
 *    0 .. 0x7fef  references seen; with 0x8000: the head refers to it by an entry without COPIED
 *    SINGLE       counted once, by such an entry, which shall have COPIED
 *    CHANGED      its use has changed: to be looked at again by another walk
 *    OUT          nothing is to be done about it
 *
 *  references --looked at--> SINGLE --COPIED is set--> OUT
 *      |  |'-----looked at-----------------------------^
 *      |  '------a reference goes away, or its count changes--> CHANGED --again--> references, 0
 *      '---------its count changes from or to 0--> OUT
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SeenReferences {
    /** 16 MiB of states; 512 GiB in clusters of 64 KiB. */
    static final int CLUSTERS_MAX = 1 << 23;

    private static final char UNCOPIED = 0x8000;
    private static final char MOST = 0x7fef;
    private static final char SINGLE = 0x7ffd;
    private static final char CHANGED = 0x7ffe;
    private static final char OUT = 0x7fff;

    private final long first;
    private final char[] states;
    private boolean closed;

    /** Clusters from {@code first} to before {@code end}, but the header's. */
    SeenReferences(long first, long end) {
        this.first = first;
        this.states = new char[(int) (end - first)];
        leave(0);
    }

    private boolean has(long cluster) {
        return cluster >= first && cluster - first < states.length;
    }

    /** {@code uncopied}: by an entry of the head that has not COPIED and may have it. */
    void see(long cluster, boolean uncopied) {
        if (!has(cluster)) {
            return;
        }
        int at = (int) (cluster - first);
        int references = states[at] & ~UNCOPIED;
        if (references < MOST) {
            int flag = uncopied ? UNCOPIED : states[at] & UNCOPIED;
            states[at] = (char) (references + 1 | flag);
        } else if (references == MOST) {
            states[at] = OUT;
        }
    }

    /** The cluster loses a reference, now or soon. */
    void unlinked(long cluster) {
        if (has(cluster) && states[(int) (cluster - first)] != OUT) {
            states[(int) (cluster - first)] = CHANGED;
        }
    }

    /** As {@link #unlinked}; one that is free, or was, is counted as it has to be. */
    void countChanged(long cluster, long before, long after) {
        if (before == 0 || after == 0) {
            leave(cluster);
        } else {
            unlinked(cluster);
        }
    }

    /** Nothing is to be done about the cluster. */
    void leave(long cluster) {
        if (has(cluster)) {
            states[(int) (cluster - first)] = OUT;
        }
    }

    /** One entry of the head, and nothing else, refers to the cluster, which is counted once. */
    void single(long cluster) {
        states[(int) (cluster - first)] = SINGLE;
    }

    /** Whether the head's entry shall have COPIED. */
    boolean isSingle(long cluster) {
        return has(cluster) && states[(int) (cluster - first)] == SINGLE;
    }

    /** References seen of one that {@link #next} has found. */
    int references(long cluster) {
        return states[(int) (cluster - first)] & ~UNCOPIED;
    }

    /** Whether it has one reference alone, by an entry that lacks COPIED. */
    boolean lacksCopied(long cluster) {
        return states[(int) (cluster - first)] == (UNCOPIED | 1);
    }

    /** Nothing is told of changes any more: no cluster is found from now on. */
    void close() {
        closed = true;
    }

    /** The first cluster from {@code cluster} on that has not left; -1: none. */
    long next(long cluster) {
        if (closed) {
            return -1;
        }
        for (int at = (int) (Math.max(cluster, first) - first); at < states.length; at++) {
            if ((states[at] & ~UNCOPIED) <= MOST) {
                return first + at;
            }
        }
        return -1;
    }

    /** Whether a cluster is left whose entry shall have COPIED. */
    boolean hasSingle() {
        for (char state : states) {
            if (state == SINGLE) {
                return true;
            }
        }
        return false;
    }

    /**
     * Begins anew with those that have changed; how many they are.
     *
     * @param singles also with those whose entry shall have COPIED
     */
    long again(boolean singles) {
        long count = 0;
        for (int at = 0; at < states.length; at++) {
            boolean changed = states[at] == CHANGED || (singles && states[at] == SINGLE);
            states[at] = changed ? 0 : OUT;
            count += changed ? 1 : 0;
        }
        return count;
    }
}
