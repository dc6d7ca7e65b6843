package io.quoin.replicate;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Direct memory for payloads that is used again. What is never given back is collected, and what is
 * more than is kept as well: so an owner that cannot say whether it is the last one gives nothing
 * back.
 *
 * <p>Threading: thread-safe.
 */
public class PayloadPool {
    /** The process's. */
    public static final PayloadPool SHARED = new PayloadPool();

    private static final int SMALLEST_BYTES = 4 << 10;
    private static final int SIZES = 5;
    private static final int LARGEST_BYTES = SMALLEST_BYTES << (2 * (SIZES - 1));

    /** Of each size. */
    private static final int KEPT_BYTES = 8 << 20;

    private final List<Kept> kept = IntStream.range(0, SIZES).mapToObj(Kept::new).toList();

    /** Memory of one size that is not in use. */
    private static final class Kept {
        private final int sizeBytes;
        private final Queue<ByteBuffer> free = new ConcurrentLinkedQueue<>();
        private final AtomicInteger count = new AtomicInteger();

        Kept(int index) {
            this.sizeBytes = sizeBytes(index);
        }

        ByteBuffer take() {
            ByteBuffer memory = free.poll();
            if (memory == null) {
                return ByteBuffer.allocateDirect(sizeBytes);
            }
            count.decrementAndGet();
            return memory;
        }

        void put(ByteBuffer memory) {
            if (count.incrementAndGet() <= KEPT_BYTES / sizeBytes) {
                free.add(memory);
            } else {
                count.decrementAndGet();
            }
        }
    }

    /** Of each four times the one before. */
    private static int sizeBytes(int index) {
        return SMALLEST_BYTES << (2 * index);
    }

    private static int index(int lengthBytes) {
        int index = 0;
        while (sizeBytes(index) < lengthBytes) {
            index++;
        }
        return index;
    }

    /** Memory with any content, of which the first {@code lengthBytes} bytes are to be used. */
    public ByteBuffer acquire(int lengthBytes) {
        if (lengthBytes > LARGEST_BYTES) {
            return ByteBuffer.allocateDirect(lengthBytes);
        }
        return kept.get(index(lengthBytes)).take().clear().limit(lengthBytes);
    }

    /** Takes memory back that was acquired: nothing reads or writes it any more. */
    public void release(ByteBuffer memory) {
        int capacity = memory.capacity();
        if (capacity <= LARGEST_BYTES) {
            kept.get(index(capacity)).put(memory);
        }
    }
}
