package io.quoin.brick.posix;

/**
 * By what it shows that a file has been changed or replaced: number, size and time of the last
 * change, which no program can set.
 *
 * <p>Threading: immutable.
 */
final class ChangeStamp {
    /**
     * The coarsest clock of a file system that is in use: a second; and the same for its server.
     */
    private static final long SETTLED_MILLIS = 2000;

    private static final long NANOS_PER_SECOND = 1_000_000_000;
    private static final long FACTOR = 0x9e3779b97f4a7c15L;

    private ChangeStamp() {}

    /** 0 for a file that was changed just now: by its time the next change might look the same. */
    static long of(FileStatus status, long nowMillis) {
        if (status.changeSeconds() * 1000 > nowMillis - SETTLED_MILLIS) {
            return 0;
        }
        long stamp = status.changeSeconds() * NANOS_PER_SECOND + status.changeNanos();
        stamp = stamp * FACTOR + status.inode();
        stamp = stamp * FACTOR + status.sizeBytes();
        return stamp == 0 ? 1 : stamp;
    }
}
