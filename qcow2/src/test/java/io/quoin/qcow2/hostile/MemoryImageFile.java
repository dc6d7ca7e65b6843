package io.quoin.qcow2.hostile;

import io.quoin.qcow2.file.ImageFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An image in memory, as long as it says, with a hole behind its bytes; it counts what changes it.
 */
public final class MemoryImageFile implements ImageFile {
    private static final int GROWN_BYTES_MAX = 64 << 20;

    private byte[] bytes;
    private long sizeBytes;
    private int changes;

    public MemoryImageFile(byte[] bytes, long sizeBytes) {
        this.bytes = bytes;
        this.sizeBytes = sizeBytes;
    }

    public int changes() {
        return changes;
    }

    @Override
    public String name() {
        return "memory";
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
    public void write(long hostOffset, ByteBuffer source) throws IOException {
        changes++;
        long end = hostOffset + source.remaining();
        sizeBytes = Math.max(sizeBytes, end);
        if (end > bytes.length) {
            if (end > GROWN_BYTES_MAX) {
                throw new IOException("no space: end=" + end);
            }
            bytes = Arrays.copyOf(bytes, (int) end);
        }
        source.get(bytes, (int) hostOffset, source.remaining());
    }

    @Override
    public void flush() {
        changes++;
    }

    @Override
    public void close() {}
}
