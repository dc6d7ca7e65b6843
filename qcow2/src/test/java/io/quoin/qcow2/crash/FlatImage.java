package io.quoin.qcow2.crash;

import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.crash.FlatBytes;
import java.nio.ByteBuffer;

/**
 * A file of a crash state for the offline check.
 *
 * <p>Threading: confined to the test.
 */
record FlatImage(FlatBytes bytes) implements ImageFile {
    @Override
    public String name() {
        return "flat";
    }

    @Override
    public long sizeBytes() {
        return bytes.size();
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) {
        bytes.read(hostOffset, target);
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) {
        byte[] data = new byte[source.remaining()];
        source.get(data);
        bytes.write(hostOffset, data, 0, data.length);
    }

    @Override
    public void flush() {}

    @Override
    public void truncate(long sizeBytes) {
        bytes.resize(Math.min(sizeBytes, bytes.size()));
    }

    @Override
    public void close() {}
}
