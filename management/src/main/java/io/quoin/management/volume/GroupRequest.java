package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ring.RingHold;
import io.quoin.management.guest.FreezeOptions;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A snapshot of several disks at one instant.
 *
 * <p>Threading: immutable.
 *
 * @param disks names, each once
 * @param name of each of the snapshots
 * @param isGroup whether they are recorded as belonging together
 * @param limitNanos how long any of the disks stands still at most
 * @param freeze which guests stand still meanwhile
 */
public record GroupRequest(
        List<String> disks, String name, boolean isGroup, long limitNanos, FreezeOptions freeze) {
    /** How long disks stand still at most, unless told otherwise. */
    public static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** All of them are open, and counted, at the same time. */
    public static final int DISKS_MAX = 1024;

    /**
     * @throws BlockException EINVAL for disks or a limit that cannot be
     */
    public GroupRequest {
        disks = List.copyOf(disks);
        if (disks.isEmpty() || disks.size() > DISKS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "disks of a group: count=" + disks.size() + ", expected=1 to " + DISKS_MAX);
        }
        if (new HashSet<>(disks).size() < disks.size()) {
            throw new BlockException(
                    BlockError.EINVAL, "disks of a group: names=" + disks + ", expected=each once");
        }
        if (limitNanos < 1 || limitNanos > RingHold.LIMIT_NANOS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "deadline of a group: millis="
                            + TimeUnit.NANOSECONDS.toMillis(limitNanos)
                            + ", expected=1 to "
                            + TimeUnit.NANOSECONDS.toMillis(RingHold.LIMIT_NANOS_MAX));
        }
    }

    /** A group of disks whose guests go on. */
    public static GroupRequest of(List<String> disks, String name) {
        return new GroupRequest(disks, name, true, LIMIT_NANOS, FreezeOptions.NONE);
    }
}
