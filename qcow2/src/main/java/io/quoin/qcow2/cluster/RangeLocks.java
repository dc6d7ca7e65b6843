package io.quoin.qcow2.cluster;

import org.jspecify.annotations.Nullable;

/**
 * Keeps requests apart that touch the same guest clusters: one that changes where a cluster is has
 * it alone; those that only follow the mapping share it. First come, first served: a request waits
 * behind an earlier waiter that it conflicts with. So an overlapping read never sees a half-made
 * change, and a host cluster that is dropped has no request under way.
 *
 * <p>Threading: confined(loop).
 */
final class RangeLocks {
    private final OpList shared = new OpList();
    private final OpList exclusives = new OpList();
    private final OpList waiters = new OpList();
    private @Nullable GuestOp granted;
    private @Nullable GuestOp grantedLast;
    private boolean draining;

    /** Whether {@code op} has its range now; else it is resumed once it has. */
    boolean acquire(GuestOp op) {
        if (conflicts(op, null)) {
            waiters.append(op);
            return false;
        }
        grant(op);
        return true;
    }

    void release(GuestOp op) {
        op.held = false;
        (op.exclusive ? exclusives : shared).remove(op);
        if (waiters.first == null) {
            return;
        }
        GuestOp waiter = waiters.first;
        while (waiter != null) {
            GuestOp next = waiter.next;
            if (overlap(waiter, op) && !conflicts(waiter, waiter)) {
                waiters.remove(waiter);
                grant(waiter);
                if (grantedLast == null) {
                    granted = waiter;
                } else {
                    grantedLast.nextGranted = waiter;
                }
                grantedLast = waiter;
            }
            waiter = next;
        }
        drain();
    }

    /** Resumes those that got a range, in a loop and not from inside one another. */
    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        try {
            while (granted != null) {
                GuestOp op = granted;
                granted = op.nextGranted;
                if (granted == null) {
                    grantedLast = null;
                }
                op.nextGranted = null;
                op.resume();
            }
        } finally {
            draining = false;
        }
    }

    private void grant(GuestOp op) {
        op.held = true;
        (op.exclusive ? exclusives : shared).append(op);
    }

    /** Whether {@code op} must wait, given the waiters before {@code stopAt}; null: all waiters. */
    private boolean conflicts(GuestOp op, @Nullable GuestOp stopAt) {
        for (GuestOp other = exclusives.first; other != null; other = other.next) {
            if (overlap(op, other)) {
                return true;
            }
        }
        if (op.exclusive) {
            for (GuestOp other = shared.first; other != null; other = other.next) {
                if (overlap(op, other)) {
                    return true;
                }
            }
        }
        for (GuestOp other = waiters.first; other != stopAt && other != null; other = other.next) {
            if ((op.exclusive || other.exclusive) && overlap(op, other)) {
                return true;
            }
        }
        return false;
    }

    private static boolean overlap(GuestOp a, GuestOp b) {
        return a.firstCluster <= b.lastCluster && b.firstCluster <= a.lastCluster;
    }

    /** A list that its members carry themselves. */
    private static final class OpList {
        @Nullable GuestOp first;
        @Nullable GuestOp last;

        void append(GuestOp op) {
            op.previous = last;
            op.next = null;
            if (last == null) {
                first = op;
            } else {
                last.next = op;
            }
            last = op;
        }

        void remove(GuestOp op) {
            GuestOp before = op.previous;
            GuestOp after = op.next;
            if (before == null) {
                first = after;
            } else {
                before.next = after;
            }
            if (after == null) {
                last = before;
            } else {
                after.previous = before;
            }
            op.previous = null;
            op.next = null;
        }
    }
}
