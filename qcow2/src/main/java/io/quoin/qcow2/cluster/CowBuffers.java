package io.quoin.qcow2.cluster;

import io.quoin.qcow2.io.Steps;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Memory for what is copied around a write, shared by the images of a loop that have the same size
 * of clusters: two clusters each, few enough that large clusters cannot use up the machine.
 *
 * <p>Threading: confined(loop).
 */
public final class CowBuffers {
    private static final long BYTES_MAX = 16 << 20;
    private static final int BUFFERS_MIN = 2;
    private static final int BUFFERS_MAX = 64;
    private static final int ALIGNMENT = 4096;

    private final int bufferBytes;
    private final int buffersMax;
    private final ArrayDeque<ByteBuffer> idle = new ArrayDeque<>();
    private final ArrayDeque<Steps> waiters = new ArrayDeque<>();
    private int made;
    private boolean serving;

    public CowBuffers(int clusterSizeBytes) {
        bufferBytes = 2 * clusterSizeBytes;
        buffersMax = (int) Math.max(BUFFERS_MIN, Math.min(BUFFERS_MAX, BYTES_MAX / bufferBytes));
    }

    /** A buffer, or null: {@code waiter} is resumed when it may try again. */
    @Nullable ByteBuffer acquire(Steps waiter) {
        ByteBuffer buffer = idle.pollLast();
        if (buffer == null && made < buffersMax) {
            made++;
            buffer = BufferUtil.allocateDirectAligned(bufferBytes, ALIGNMENT);
        }
        if (buffer == null) {
            waiters.add(waiter);
        }
        return buffer;
    }

    /**
     * Takes a buffer back and resumes waiters for as long as there is one: a waiter may end without
     * a buffer, and then no other would come for those behind it. A waiter that gives its buffer
     * back before it returns is followed by the next one in the loop and not from inside.
     */
    void release(ByteBuffer buffer) {
        idle.addLast(buffer);
        if (serving) {
            return;
        }
        serving = true;
        try {
            while (!idle.isEmpty() && !waiters.isEmpty()) {
                waiters.remove().resume();
            }
        } finally {
            serving = false;
        }
    }
}
