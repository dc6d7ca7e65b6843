package io.quoin.brick.posix;

import io.quoin.xlator.NameText;
import java.nio.file.Path;

/**
 * What the file system knows of a file beyond its content: how much space it takes, and where it
 * has holes. It locks nothing and may be asked while the file is in use.
 *
 * <p>Threading: confined to its user.
 */
public final class LocalFile implements AutoCloseable {
    private final Path path;
    private final Descriptor descriptor;
    private final FileStatus status = new FileStatus();

    private LocalFile(Path path, Descriptor descriptor) {
        this.path = path;
        this.descriptor = descriptor;
    }

    /**
     * Opens a file for looking at it.
     *
     * @throws io.quoin.block.BlockException ENOENT, EPERM, EIO
     */
    public static LocalFile open(Path path) {
        Abi.current();
        byte[] name = FileNames.encodePath(NameText.absolute(path));
        Descriptor descriptor =
                Descriptor.open(SystemCalls.AT_FDCWD, name, SystemCalls.O_RDONLY, 0);
        if (!descriptor.isOpen()) {
            throw Errno.exception("open the file", "file=" + NameText.of(path), descriptor.errno());
        }
        LocalFile file = new LocalFile(path, descriptor);
        int result = file.status.ofOpenFile(descriptor.fd());
        if (result < 0) {
            file.close();
            throw Errno.exception("find out about the file", "file=" + NameText.of(path), -result);
        }
        return file;
    }

    /** As it was when the file was opened. */
    public long sizeBytes() {
        return status.sizeBytes();
    }

    /** As it was when the file was opened. */
    public long allocatedBytes() {
        return status.allocatedBytes();
    }

    /** Where the next data begin, from {@code offsetBytes} on; the size if only a hole follows. */
    public long nextData(long offsetBytes) {
        long data = SystemCalls.lseek(descriptor.fd(), offsetBytes, SystemCalls.SEEK_DATA);
        if (data == -Errno.ENXIO) {
            return sizeBytes();
        }
        if (data < 0 && data != -Errno.EINVAL) {
            throw Errno.exception(
                    "find data of the file", "file=" + NameText.of(path), (int) -data);
        }
        return data < 0 ? offsetBytes : data; // a file system that does not know
    }

    /** Where the next hole begins, from {@code offsetBytes} on, which is data. */
    public long nextHole(long offsetBytes) {
        long hole = SystemCalls.lseek(descriptor.fd(), offsetBytes, SystemCalls.SEEK_HOLE);
        return hole <= offsetBytes ? sizeBytes() : Math.min(hole, sizeBytes());
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
