package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.List;

/**
 * A volume that this process has opened: disks by name. Made by {@link Volumes}.
 *
 * <p>Methods wait for the storage and throw {@link BlockException}: {@link BlockError#ENOENT} for a
 * disk that is not there, {@link BlockError#EEXIST}, {@link BlockError#EBUSY} for a disk or volume
 * that another program writes to, {@link BlockError#EINVAL} for names and sizes that cannot be.
 *
 * <p>Threading: thread-safe.
 */
public interface Volume extends AutoCloseable {
    /** The names of the disks, sorted. */
    List<String> disks();

    /** Makes a disk of {@code sizeBytes} that reads as zeros; durable on return. */
    void create(String disk, long sizeBytes);

    /** Opens a disk, to be closed by the caller; users of one disk share what serves it. */
    Disk open(String disk, DiskMode mode);

    /** Opens a disk for reading and writing. */
    default Disk open(String disk) {
        return open(disk, DiskMode.READ_WRITE);
    }

    /** Flushes and closes the disks that are still open, and the volume. Does nothing twice. */
    @Override
    void close();
}
