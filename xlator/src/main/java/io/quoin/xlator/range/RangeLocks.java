package io.quoin.xlator.range;

import org.jspecify.annotations.Nullable;

/**
 * Keeps requests apart that touch the same units of a file (its clusters, sectors or regions): one
 * has its range alone, or shares it with others that share it. First come, first served: a request
 * waits behind an earlier waiter that it conflicts with, so that none waits for ever. Ranges may be
 * given up in any order.
 *
 * <p>Threading: confined(loop).
 */
public final class RangeLocks {
    private final LockList shared = new LockList();
    private final LockList exclusives = new LockList();
    private final LockList waiters = new LockList();
    private @Nullable RangeLock granted;
    private @Nullable RangeLock grantedLast;
    private boolean draining;

    /** Whether {@code lock} has its range now; else it is told once it has. */
    public boolean acquire(RangeLock lock) {
        if (conflicts(lock, null)) {
            waiters.append(lock);
            return false;
        }
        grant(lock);
        return true;
    }

    /** Lets go of a range that is held, and tells those that have theirs by that: it calls out. */
    public void release(RangeLock lock) {
        lock.held = false;
        (lock.exclusive ? exclusives : shared).remove(lock);
        if (waiters.first == null) {
            return;
        }
        RangeLock waiter = waiters.first;
        while (waiter != null) {
            RangeLock next = waiter.next;
            if (waiter.overlaps(lock) && !conflicts(waiter, waiter)) {
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

    /** Tells those that got a range, in a loop and not from inside one another. */
    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        try {
            while (granted != null) {
                RangeLock lock = granted;
                granted = lock.nextGranted;
                if (granted == null) {
                    grantedLast = null;
                }
                lock.nextGranted = null;
                lock.granted();
            }
        } finally {
            draining = false;
        }
    }

    private void grant(RangeLock lock) {
        lock.held = true;
        (lock.exclusive ? exclusives : shared).append(lock);
    }

    /**
     * Whether {@code lock} must wait, given the waiters before {@code stopAt}; null: all waiters.
     */
    private boolean conflicts(RangeLock lock, @Nullable RangeLock stopAt) {
        for (RangeLock other = exclusives.first; other != null; other = other.next) {
            if (lock.overlaps(other)) {
                return true;
            }
        }
        if (lock.exclusive) {
            for (RangeLock other = shared.first; other != null; other = other.next) {
                if (lock.overlaps(other)) {
                    return true;
                }
            }
        }
        for (RangeLock other = waiters.first;
                other != stopAt && other != null;
                other = other.next) {
            if ((lock.exclusive || other.exclusive) && lock.overlaps(other)) {
                return true;
            }
        }
        return false;
    }

    /** A list that its members carry themselves. */
    private static final class LockList {
        @Nullable RangeLock first;
        @Nullable RangeLock last;

        void append(RangeLock lock) {
            lock.previous = last;
            lock.next = null;
            if (last == null) {
                first = lock;
            } else {
                last.next = lock;
            }
            last = lock;
        }

        void remove(RangeLock lock) {
            RangeLock before = lock.previous;
            RangeLock after = lock.next;
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
            lock.previous = null;
            lock.next = null;
        }
    }
}
