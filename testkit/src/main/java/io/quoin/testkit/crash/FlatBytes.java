package io.quoin.testkit.crash;

import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A file that is one piece of memory: copied in one go, which is what thousands of crash states
 * need. Behind the end the memory is zeros.
 *
 * <p>Threading: confined to the test.
 */
public final class FlatBytes {
    private UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(1 << 16));
    private int size;

    public FlatBytes() {}

    public FlatBytes(byte[] content) {
        resize(content.length);
        memory.putBytes(0, content);
    }

    public int size() {
        return size;
    }

    /** Becomes the same as the other. */
    public void copyFrom(FlatBytes other) {
        resize(other.size);
        memory.putBytes(0, other.memory, 0, other.size);
    }

    public byte[] content() {
        byte[] content = new byte[size];
        memory.getBytes(0, content);
        return content;
    }

    public void resize(long newSizeBytes) {
        int newSize = Math.toIntExact(newSizeBytes);
        if (newSize > memory.capacity()) {
            int capacity = Math.max(newSize, memory.capacity() * 2);
            UnsafeBuffer larger = new UnsafeBuffer(ByteBuffer.allocateDirect(capacity));
            larger.putBytes(0, memory, 0, size);
            memory = larger;
        } else if (newSize < size) {
            memory.setMemory(newSize, size - newSize, (byte) 0);
        }
        size = newSize;
    }

    public void write(long offset, byte[] data, int from, int length) {
        resize(Math.max(size, offset + length));
        memory.putBytes((int) offset, data, from, length);
    }

    void write(long offset, IoVector source) {
        int length = (int) source.lengthBytes();
        resize(Math.max(size, offset + length));
        source.copyTo(0, memory.addressOffset() + offset, length);
    }

    void read(long offset, IoVector target) {
        target.copyFrom(0, memory.addressOffset() + offset, target.lengthBytes());
    }

    /** Zeros as far as the file reaches. */
    void zero(long offset, long length) {
        long end = Math.min(size, offset + length);
        if (offset < end) {
            memory.setMemory((int) offset, (int) (end - offset), (byte) 0);
        }
    }

    /** Fills {@code target}; what lies beyond the end becomes zeros. */
    public void read(long hostOffset, ByteBuffer target) {
        int length = (int) Math.max(0, Math.min(target.remaining(), size - hostOffset));
        if (length > 0) {
            memory.getBytes((int) hostOffset, target, length);
        }
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }
}
