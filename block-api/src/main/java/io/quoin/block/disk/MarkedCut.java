package io.quoin.block.disk;

import io.quoin.block.BlockException;
import java.util.List;

/**
 * Snapshots of several disks at an instant that an application names by markers among its own
 * requests. It puts one into each disk's requests; each disk stops when it comes to its marker, all
 * are cut when the last has, and all go on. So each thread says for the disk that it writes what
 * belongs to the snapshots, without waiting for answers:
 *
 * <pre>{@code
 * try (MarkedCut cut = volume.cut(List.of("log", "data"), "before-upgrade")) {
 *     log.writeAsync(0, entry, IoFlags.NONE);
 *     cut.mark(log);               // the entry is in log@before-upgrade
 *     log.writeAsync(4096, next, IoFlags.NONE);   // this one is not; it waits for the cut
 *     data.writeAsync(0, page, IoFlags.NONE);
 *     cut.mark(data);
 *     List<Snapshot> made = cut.await();
 * }
 * }</pre>
 *
 * <p>What other users of a disk have asked for falls on the one side or the other, by its place
 * among the requests; what was asked for after an answer is in a snapshot only if that which was
 * answered is in its own. A disk stands still for a second at most: if the other markers have not
 * been come to by then, it goes on, and there are no snapshots. All markers are to be put within
 * ten seconds.
 *
 * <p>Threading: thread-safe; not to be used on a disk's own thread, since methods wait.
 */
public interface MarkedCut extends AutoCloseable {
    /**
     * Puts the marker of a disk behind everything that the calling thread has asked of it.
     *
     * @param disk one of those that are cut, open from the same volume, marked once
     * @throws BlockException EINVAL for another disk
     */
    void mark(Disk disk);

    /**
     * Waits for the snapshots, once all disks are marked.
     *
     * @return in the order of the disks; durable
     * @throws BlockException as {@link Volume#snapshot(List, String)}; EBUSY if markers did not
     *     come in time: then there are none
     */
    List<Snapshot> await();

    /**
     * Gives it up, if the disks are not cut yet: then there are no snapshots. Waits for its end.
     */
    @Override
    void close();
}
