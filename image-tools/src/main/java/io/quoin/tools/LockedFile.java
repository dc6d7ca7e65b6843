package io.quoin.tools;

import io.quoin.qcow2.file.ImageFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A file that is used beside the graph while the graph holds its lock.
 *
 * <p>Threading: as the file.
 */
final class LockedFile implements ImageFile {
    private final ImageFile file;
    private final OpenedImage lock;

    /** Both are closed with it, the lock last. */
    LockedFile(ImageFile file, OpenedImage lock) {
        this.file = file;
        this.lock = lock;
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long sizeBytes() throws IOException {
        return file.sizeBytes();
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) throws IOException {
        file.read(hostOffset, target);
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) throws IOException {
        file.write(hostOffset, source);
    }

    @Override
    public void flush() throws IOException {
        file.flush();
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        file.truncate(sizeBytes);
    }

    @Override
    public void close() throws IOException {
        try {
            file.close();
        } finally {
            lock.close();
        }
    }
}
