package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where connections get their memory: Netty's pool, with an arena for each loop.
 *
 * <p>Netty gives a chunk of a pool back to the system as soon as nothing in it is used, and a new
 * one is zeroed by the JVM. Between two large requests of the only client that would happen every
 * time, so each loop keeps a page of a chunk for good, and with it the chunk.
 *
 * <p>Threading: thread-safe.
 */
public final class BufferPool {
    private static final int PAGE_BYTES = 8192;

    /** Chunks of 8 MiB: what a busy connection has in flight. */
    private static final int CHUNK_ORDER = 10;

    private static final int SMALL_CACHE_SIZE = 256;
    private static final int NORMAL_CACHE_SIZE = 64;

    private final PooledByteBufAllocator allocator;
    private final Map<Thread, ByteBuf> kept = new ConcurrentHashMap<>();

    public BufferPool(int loops) {
        allocator =
                new PooledByteBufAllocator(
                        true,
                        0,
                        loops,
                        PAGE_BYTES,
                        CHUNK_ORDER,
                        SMALL_CACHE_SIZE,
                        NORMAL_CACHE_SIZE,
                        true);
    }

    public ByteBufAllocator allocator() {
        return allocator;
    }

    /** Makes the calling loop keep a chunk from now on. */
    void keepChunk() {
        kept.computeIfAbsent(
                Thread.currentThread(), loop -> allocator.directBuffer(PAGE_BYTES, PAGE_BYTES));
    }

    /** Lets go of what is kept, once no connection is left. */
    public synchronized void close() {
        kept.values().forEach(ByteBuf::release);
        kept.clear();
    }
}
