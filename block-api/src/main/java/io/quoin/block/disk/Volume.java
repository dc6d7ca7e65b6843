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

    /**
     * Opens a disk, or a snapshot of one by {@code DISK@SNAPSHOT}, to be closed by the caller;
     * users of one disk share what serves it. A snapshot is open for reading alone.
     */
    Disk open(String disk, DiskMode mode);

    /** Opens a disk for reading and writing, a snapshot for reading. */
    default Disk open(String disk) {
        boolean isSnapshot = disk.indexOf('@') >= 0;
        return open(disk, isSnapshot ? DiskMode.READ_ONLY : DiskMode.READ_WRITE);
    }

    /**
     * Makes a snapshot of a disk as it is at one moment of the call: what was asked for before, of
     * whatever user, and answered is in it. Users of the disk go on. Durable on return.
     *
     * @throws BlockException ENOTSUP for a disk that cannot have snapshots, EROFS for one that
     *     others stand on
     */
    Snapshot snapshot(String disk, String name);

    /**
     * Makes a snapshot of each of several disks, all at one instant, all or none. What was asked
     * for before and answered is in them; what was asked for after an answer is in one of them only
     * if that which was answered is in its own, whichever of the disks it was for. Users of the
     * disks go on; none of the disks stands still for more than a second. Durable on return.
     *
     * @return in the order of {@code disks}
     * @throws BlockException EBUSY if a disk did not come to rest in that second, ENOTSUP, EROFS or
     *     EEXIST if one of them cannot have it; then there is none
     */
    List<Snapshot> snapshot(List<String> disks, String name);

    /**
     * Begins a snapshot of each of several disks at the instant that markers say: see {@link
     * MarkedCut}. Returns when markers can be put. Other snapshots of these disks, and changes of
     * their sizes, wait until it is closed.
     *
     * @throws BlockException as {@link #snapshot(List, String)}
     */
    MarkedCut cut(List<String> disks, String name);

    /** The snapshots of a disk, in the order in which they were made. */
    List<Snapshot> snapshots(String disk);

    /**
     * Removes a snapshot and gives back the space that it alone takes; EBUSY while it is open, or a
     * disk stands on it.
     */
    void removeSnapshot(String disk, String name);

    /** Flushes and closes the disks that are still open, and the volume. Does nothing twice. */
    @Override
    void close();
}
