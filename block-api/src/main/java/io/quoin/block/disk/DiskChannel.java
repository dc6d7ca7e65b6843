package io.quoin.block.disk;

import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/**
 * A {@link Disk} as a channel, for code that reads and writes files.
 *
 * <p>A disk's size is fixed. A read at its end, or behind it, returns -1. A write stores what fits
 * before the end and says how much; one that begins at the end or behind it fails with an {@link
 * IOException}. So does {@link #truncate} to less than the size; to the size or more it changes
 * nothing but a position behind that, as for every channel. Positions behind the end are legal.
 *
 * <p>Errors of the disk are {@link IOException}s with the {@link BlockException} as their cause.
 * Where the disk's minimum block is more than one byte, positions and lengths have to be multiples
 * of it. Nothing is durable before {@link #force}. Closing the channel leaves the disk open.
 *
 * <p>Threading: thread-safe; calls that use the position wait for one another.
 */
public final class DiskChannel implements SeekableByteChannel {
    private final Disk disk;
    private final DiskMode mode;
    private long position;
    private volatile boolean isOpen = true;

    private DiskChannel(Disk disk, DiskMode mode) {
        this.disk = disk;
        this.mode = mode;
    }

    /** A channel over {@code disk}: for writing too if the disk can be written to. */
    public static DiskChannel over(Disk disk) {
        return over(
                disk, disk.capabilities().canWrite() ? DiskMode.READ_WRITE : DiskMode.READ_ONLY);
    }

    /** A channel over {@code disk}, its position 0. */
    public static DiskChannel over(Disk disk, DiskMode mode) {
        return new DiskChannel(disk, mode);
    }

    @Override
    public synchronized int read(ByteBuffer target) throws IOException {
        checkOpen();
        long left = disk.sizeBytes() - position;
        if (!target.hasRemaining()) {
            return 0;
        }
        if (left <= 0) {
            return -1;
        }
        int count = (int) Math.min(left, target.remaining());
        ByteBuffer part = part(target, count);
        run(() -> disk.read(position, part));
        target.position(target.position() + count);
        position += count;
        return count;
    }

    @Override
    public synchronized int write(ByteBuffer source) throws IOException {
        checkWritable();
        long left = disk.sizeBytes() - position;
        if (!source.hasRemaining()) {
            return 0;
        }
        if (left <= 0) {
            throw new IOException(
                    "write behind the end of the disk: disk=%s, position=%d, sizeBytes=%d"
                            .formatted(disk.name(), position, disk.sizeBytes()));
        }
        int count = (int) Math.min(left, source.remaining());
        ByteBuffer part = part(source, count);
        run(() -> disk.write(position, part));
        source.position(source.position() + count);
        position += count;
        return count;
    }

    @Override
    public synchronized long position() throws IOException {
        checkOpen();
        return position;
    }

    @Override
    public synchronized DiskChannel position(long newPosition) throws IOException {
        checkOpen();
        checkNotNegative(newPosition);
        position = newPosition;
        return this;
    }

    @Override
    public long size() throws IOException {
        checkOpen();
        return disk.sizeBytes();
    }

    @Override
    public synchronized DiskChannel truncate(long newSizeBytes) throws IOException {
        checkWritable();
        checkNotNegative(newSizeBytes);
        if (newSizeBytes < disk.sizeBytes()) {
            throw new IOException(
                    "a disk's size is fixed: disk=%s, sizeBytes=%d, asked=%d"
                            .formatted(disk.name(), disk.sizeBytes(), newSizeBytes));
        }
        position = Math.min(position, newSizeBytes);
        return this;
    }

    /** Makes durable what was written, through this channel or not. */
    public void force() throws IOException {
        checkOpen();
        run(disk::flush);
    }

    @Override
    public boolean isOpen() {
        return isOpen;
    }

    /** Closes the channel: later calls fail. Flush with {@link #force} before. */
    @Override
    public void close() {
        isOpen = false;
    }

    private static ByteBuffer part(ByteBuffer buffer, int count) {
        return buffer.duplicate().limit(buffer.position() + count);
    }

    private static void run(Runnable waiting) throws IOException {
        try {
            waiting.run();
        } catch (BlockException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static void checkNotNegative(long value) {
        if (value < 0) {
            throw new IllegalArgumentException("negative: value=" + value);
        }
    }

    private void checkOpen() throws ClosedChannelException {
        if (!isOpen) {
            throw new ClosedChannelException();
        }
    }

    private void checkWritable() throws ClosedChannelException {
        checkOpen();
        if (mode == DiskMode.READ_ONLY) {
            throw new NonWritableChannelException();
        }
    }
}
