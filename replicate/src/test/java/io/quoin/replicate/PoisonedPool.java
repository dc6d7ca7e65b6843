package io.quoin.replicate;

import java.nio.ByteBuffer;

/** Memory whose content is spoiled as soon as it is given back: what reads it then is found. */
final class PoisonedPool extends PayloadPool {
    private static final byte SPOILED = (byte) 0x99;

    @Override
    public ByteBuffer acquire(int lengthBytes) {
        return ByteBuffer.allocate(lengthBytes);
    }

    @Override
    public void release(ByteBuffer memory) {
        ByteBuffer all = memory.clear();
        for (int i = 0; i < memory.capacity(); i++) {
            all.put(i, SPOILED);
        }
    }

    /** A payload in such memory. */
    Payload copyOf(byte[] bytes) {
        return Payload.of(acquire(bytes.length).put(bytes).flip(), this);
    }
}
