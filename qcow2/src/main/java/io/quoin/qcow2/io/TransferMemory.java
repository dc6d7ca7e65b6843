package io.quoin.qcow2.io;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;

/**
 * Memory off the heap for a transfer, full of zeros at first. It is given back at once: what waits
 * for a collection of the heap, which a server with little garbage seldom has, would add up.
 *
 * <p>Threading: confined to its creator.
 */
public final class TransferMemory implements AutoCloseable {
    private static final int ALIGNMENT = 4096;

    private final ByteBuffer whole;
    private final ByteBuffer aligned;

    public TransferMemory(int lengthBytes) {
        whole = ByteBuffer.allocateDirect(lengthBytes + ALIGNMENT);
        int skipped = (int) (-BufferUtil.address(whole) & (ALIGNMENT - 1));
        aligned = whole.slice(skipped, lengthBytes);
    }

    /** Not to be used after {@link #close}. */
    public ByteBuffer bytes() {
        return aligned;
    }

    public long address() {
        return BufferUtil.address(aligned);
    }

    /** Once; nothing reads or writes it any more. */
    @Override
    public void close() {
        BufferUtil.free(whole);
    }
}
