package io.quoin.nbd.client;

import io.netty.buffer.ByteBuf;
import org.agrona.BufferUtil;

/**
 * Where a direct buffer lies.
 *
 * <p>Threading: immutable.
 */
final class Addresses {
    private Addresses() {}

    /** The address of index 0. */
    static long of(ByteBuf buffer) {
        return buffer.hasMemoryAddress()
                ? buffer.memoryAddress()
                : BufferUtil.address(buffer.internalNioBuffer(0, buffer.capacity()).slice());
    }
}
