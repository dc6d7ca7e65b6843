package io.quoin.qcow2.file;

import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An image in a file of the host, without the locks and the order of writes of a brick.
 *
 * <p>Threading: confined to its user.
 */
public final class ChannelImageFile implements ImageFile {
    private final FileChannel channel;
    private final Path path;

    private ChannelImageFile(FileChannel channel, Path path) {
        this.channel = channel;
        this.path = path;
    }

    /** Opens {@code path}; ENOENT, EPERM or EIO as {@link io.quoin.block.BlockException}. */
    public static ChannelImageFile open(Path path, boolean writable) {
        try {
            return new ChannelImageFile(
                    writable
                            ? FileChannel.open(
                                    path, StandardOpenOption.READ, StandardOpenOption.WRITE)
                            : FileChannel.open(path, StandardOpenOption.READ),
                    path);
        } catch (IOException e) {
            throw Reason.failure("image file cannot be opened", NameText.of(path), e);
        }
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public long sizeBytes() throws IOException {
        return channel.size();
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) throws IOException {
        int start = target.position();
        while (target.hasRemaining()) {
            int count = channel.read(target, hostOffset + (target.position() - start));
            if (count < 0) {
                while (target.hasRemaining()) {
                    target.put((byte) 0);
                }
            }
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) throws IOException {
        int start = source.position();
        while (source.hasRemaining()) {
            int written = channel.write(source, hostOffset + (source.position() - start));
            if (written < 0) {
                throw new IOException("the file takes no more bytes");
            }
        }
    }

    @Override
    public void flush() throws IOException {
        channel.force(true);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        channel.truncate(sizeBytes);
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
