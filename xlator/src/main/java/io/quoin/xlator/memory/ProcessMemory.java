package io.quoin.xlator.memory;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Invariant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that all disks of the process together may use for caches and buffers, in bytes, by
 * {@link MemoryUse}. What is taken is given back by the one that took it.
 *
 * <p>Threading: thread-safe.
 */
public final class ProcessMemory {
    public static final long BYTES_MIN = 96L << 20;

    /** What heap and direct memory of the launcher's JVM are large enough for. */
    public static final long BYTES_MAX = 4L << 30;

    private static final long DEFAULT_BYTES_MAX = 192L << 20;
    private static final int DEFAULT_SHARE_OF_MACHINE = 8;

    private final long totalBytes;
    private final Map<MemoryUse, Long> limits = new EnumMap<>(MemoryUse.class);
    private final Map<MemoryUse, AtomicLong> used = new EnumMap<>(MemoryUse.class);

    /**
     * @param totalBytes {@link #BYTES_MIN} to {@link #BYTES_MAX}
     * @throws BlockException EINVAL if it is not
     */
    public ProcessMemory(long totalBytes) {
        if (totalBytes < BYTES_MIN || totalBytes > BYTES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal memory: bytes="
                            + totalBytes
                            + ", expected="
                            + BYTES_MIN
                            + " to "
                            + BYTES_MAX);
        }
        this.totalBytes = totalBytes;
        for (MemoryUse use : MemoryUse.values()) {
            limits.put(use, use.share(totalBytes));
            used.put(use, new AtomicLong());
        }
    }

    /**
     * @param shares the limit of each use, however small; none for a use that is left out
     */
    public ProcessMemory(Map<MemoryUse, Long> shares) {
        long total = 0;
        for (MemoryUse use : MemoryUse.values()) {
            long share = shares.getOrDefault(use, 0L);
            limits.put(use, share);
            used.put(use, new AtomicLong());
            total += share;
        }
        this.totalBytes = total;
    }

    /** Memory of the default size. */
    public static ProcessMemory ofDefault() {
        return new ProcessMemory(defaultBytes());
    }

    /** An eighth of what this process could have, from 96 to 192 MiB. */
    public static long defaultBytes() {
        return defaultBytes(MachineMemory.bytes());
    }

    /** The one that programs share that open volumes by themselves. */
    public static ProcessMemory shared() {
        return Shared.MEMORY;
    }

    static long defaultBytes(long machineBytes) {
        long share = machineBytes / DEFAULT_SHARE_OF_MACHINE;
        return Math.max(BYTES_MIN, Math.min(DEFAULT_BYTES_MAX, share));
    }

    public long totalBytes() {
        return totalBytes;
    }

    /** What one use may take in all. */
    public long limitBytes(MemoryUse use) {
        return limits.getOrDefault(use, 0L);
    }

    /** What one use has taken; above the limit where {@link #take} had to. */
    public long usedBytes(MemoryUse use) {
        return counter(use).get();
    }

    /** Takes the bytes if the share of {@code use} has them. */
    public boolean tryTake(MemoryUse use, long bytes) {
        Invariant.check(bytes >= 0, "negative size");
        long limit = limitBytes(use);
        AtomicLong counter = counter(use);
        for (long now = counter.get(); now + bytes <= limit; now = counter.get()) {
            if (counter.compareAndSet(now, now + bytes)) {
                return true;
            }
        }
        return false;
    }

    /** Takes bytes without which the caller could not go on, whatever is left. */
    public void take(MemoryUse use, long bytes) {
        Invariant.check(bytes >= 0, "negative size");
        counter(use).addAndGet(bytes);
    }

    public void giveBack(MemoryUse use, long bytes) {
        long left = counter(use).addAndGet(-bytes);
        Invariant.check(left >= 0, "memory given back more than once");
    }

    private AtomicLong counter(MemoryUse use) {
        AtomicLong counter = used.get(use);
        if (counter == null) {
            throw new AssertionError("no counter: use=" + use);
        }
        return counter;
    }

    private static final class Shared {
        static final ProcessMemory MEMORY = ofDefault();
    }
}
