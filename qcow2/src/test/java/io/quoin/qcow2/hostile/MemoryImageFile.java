package io.quoin.qcow2.hostile;

import io.quoin.qcow2.check.ImageFile;
import java.nio.ByteBuffer;

/**
 * An image in memory, as long as it says, with a hole behind its bytes; it counts what changes it.
 */
final class MemoryImageFile implements ImageFile {
    private final byte[] bytes;
    private final long sizeBytes;
    private int changes;

    MemoryImageFile(byte[] bytes, long sizeBytes) {
        this.bytes = bytes;
        this.sizeBytes = sizeBytes;
    }

    int changes() {
        return changes;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) {
        if (hostOffset < bytes.length) {
            int length = (int) Math.min(target.remaining(), bytes.length - hostOffset);
            target.put(bytes, (int) hostOffset, length);
        }
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) {
        changes++;
        source.position(source.limit());
    }

    @Override
    public void flush() {
        changes++;
    }

    @Override
    public void close() {}
}
