package io.quoin.block.ring;

import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.SleepingWaitStrategy;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * How a {@link DiskRing} is bounded and drained.
 *
 * <p>Threading: immutable.
 *
 * @param requestsMax requests accepted and not yet answered, at most; 1 to 65536
 * @param bytesMax memory of the READs and WRITEs among them, at most; a larger request is accepted
 *     while no other carries memory
 * @param coalesceBytesMax adjacent writes are joined up to this many bytes, and up to what the
 *     device takes at once; 0 joins none
 * @param dedicatedThread the ring's consumer is a {@link RingThread} of its own, which waits on the
 *     ring; otherwise the owner is an event loop, which is woken
 * @param waitStrategy how that thread waits: {@code blocking}, {@code sleeping}, {@code yielding}
 *     or {@code busy-spin}, from the least processor time to the shortest delay
 */
public record RingOptions(
        int requestsMax,
        long bytesMax,
        int coalesceBytesMax,
        boolean dedicatedThread,
        String waitStrategy) {
    private static final int REQUESTS_LIMIT = 1 << 16;
    private static final long BYTES_LIMIT = 1L << 40;
    private static final RingOptions DEFAULTS =
            new RingOptions(1024, 64L << 20, 1 << 20, false, "blocking");

    public RingOptions {
        checkRange("requestsMax", requestsMax, 1, REQUESTS_LIMIT);
        checkRange("bytesMax", bytesMax, 1, BYTES_LIMIT);
        checkRange("coalesceBytesMax", coalesceBytesMax, 0, Integer.MAX_VALUE);
        newWaitStrategy(waitStrategy);
    }

    /** 1024 requests, 64 MiB, joins of up to 1 MiB, drained by the event loop. */
    public static RingOptions defaults() {
        return DEFAULTS;
    }

    public RingOptions withRequestsMax(int newRequestsMax) {
        return new RingOptions(
                newRequestsMax, bytesMax, coalesceBytesMax, dedicatedThread, waitStrategy);
    }

    public RingOptions withBytesMax(long newBytesMax) {
        return new RingOptions(
                requestsMax, newBytesMax, coalesceBytesMax, dedicatedThread, waitStrategy);
    }

    public RingOptions withCoalesceBytesMax(int newCoalesceBytesMax) {
        return new RingOptions(
                requestsMax, bytesMax, newCoalesceBytesMax, dedicatedThread, waitStrategy);
    }

    /** The same with a thread of the ring's own that waits as {@code newWaitStrategy} says. */
    public RingOptions withDedicatedThread(String newWaitStrategy) {
        return new RingOptions(requestsMax, bytesMax, coalesceBytesMax, true, newWaitStrategy);
    }

    /** A loop is woken, so no thread waits on its ring. */
    WaitStrategy newWaitStrategy() {
        return dedicatedThread ? newWaitStrategy(waitStrategy) : new BusySpinWaitStrategy();
    }

    private static WaitStrategy newWaitStrategy(String name) {
        return switch (name) {
            case "blocking" -> new BlockingWaitStrategy();
            case "sleeping" -> new SleepingWaitStrategy();
            case "yielding" -> new YieldingWaitStrategy();
            case "busy-spin" -> new BusySpinWaitStrategy();
            default ->
                    throw new BlockException(
                            BlockError.EINVAL,
                            "ring option: waitStrategy="
                                    + name
                                    + ", expected=blocking|sleeping|yielding|busy-spin");
        };
    }

    private static void checkRange(String option, long value, long min, long max) {
        if (value < min || value > max) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "ring option: " + option + "=" + value + ", expected=" + min + ".." + max);
        }
    }
}
