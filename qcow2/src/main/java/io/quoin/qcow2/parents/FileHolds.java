package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What changes which file of the volume at this moment, and which images keep it from that: one
 * that is open or in the making pins the files that it stands on. A file is changed or pinned,
 * never both, so that of a change of a parent and the making of a child one wins.
 *
 * <p>An image may change and pin its own data file.
 *
 * <p>Threading: thread-safe.
 */
public final class FileHolds {
    /** What a file is held for. */
    enum Use {
        WRITE("open for writing"),
        NAME("being made, renamed or removed");

        private final String text;

        Use(String text) {
            this.text = text;
        }
    }

    /** Before the name of a snapshot, which may be that of a file as well. */
    private static final String OPEN = "snapshot ";

    private static final class File {
        private @Nullable Use use;
        private String owner = "";
        private long number;

        /** By image, how often; those of a snapshot's readers do not mind writes. */
        private final Map<String, Integer> readers = new TreeMap<>();

        private final Map<String, Integer> snapshotReaders = new TreeMap<>();

        boolean isIdle() {
            return use == null && readers.isEmpty() && snapshotReaders.isEmpty();
        }
    }

    private final Map<String, File> files = new HashMap<>();
    private long holds;

    /**
     * Holds {@code file} to change it, for the image {@code owner}, which may be itself.
     *
     * @throws BlockException EBUSY if it is held already; EROFS to write what others stand on, and
     *     EBUSY to rename or remove it
     */
    synchronized Hold hold(String file, Use use, String owner) {
        File found = files.computeIfAbsent(file, name -> new File());
        try {
            boolean isAnothersData = !found.owner.equals(file) && !found.owner.equals(owner);
            if (found.use == Use.WRITE && use == Use.WRITE && isAnothersData) {
                throw Refusals.stoodOn(file, use, List.of(found.owner));
            }
            if (found.use != null) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "file is busy: file=" + file + ", state=" + found.use.text);
            }
            List<String> pinning = new ArrayList<>(found.readers.keySet());
            if (use == Use.NAME) {
                pinning.addAll(found.snapshotReaders.keySet());
            }
            pinning.remove(owner);
            if (!pinning.isEmpty()) {
                throw Refusals.stoodOn(file, use, pinning);
            }
            found.use = use;
            found.owner = owner;
            found.number = ++holds;
        } finally {
            forgetIdle(file, found);
        }
        return once(() -> release(file));
    }

    private synchronized void release(String file) {
        File found = files.get(file);
        if (found != null) {
            found.use = null;
            found.number = 0;
            forgetIdle(file, found);
        }
    }

    /**
     * Keeps the file from being changed that {@code child} names as {@code parent}. The name of a
     * snapshot may be that of a file as well: then both are kept.
     *
     * @throws BlockException EBUSY if it is being changed
     */
    synchronized Hold pin(String parent, String child) {
        if (!ImageName.isSnapshot(parent)) {
            return pin(parent, false, child);
        }
        Hold whole = pin(parent, false, child);
        Hold image;
        try {
            image = pin(ImageName.of(parent).file(), true, child);
        } catch (BlockException e) {
            whole.release();
            throw e;
        }
        return () -> {
            image.release();
            whole.release();
        };
    }

    /**
     * Keeps a snapshot from being changed while it is open by this name.
     *
     * @throws BlockException EBUSY if it is being changed
     */
    synchronized Hold open(String snapshot) {
        return pin(OPEN + snapshot, false, "a reader");
    }

    /**
     * Holds a snapshot to change it.
     *
     * @throws BlockException EBUSY if it is open by this name
     */
    synchronized Hold holdSnapshot(String snapshot) {
        return hold(OPEN + snapshot, Use.NAME, OPEN);
    }

    private Hold pin(String file, boolean snapshot, String child) {
        File found = files.computeIfAbsent(file, name -> new File());
        try {
            boolean changes = found.use == Use.NAME || (found.use == Use.WRITE && !snapshot);
            if (changes && !found.owner.equals(child)) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "file that the image stands on is busy: image="
                                + child
                                + ", file="
                                + file
                                + ", state="
                                + (found.use == null ? "" : found.use.text)
                                + (found.owner.equals(file) ? "" : " for " + found.owner)
                                + "; detach or close it first");
            }
            readers(found, snapshot).merge(child, 1, Integer::sum);
        } finally {
            forgetIdle(file, found);
        }
        return once(() -> unpin(file, snapshot, child));
    }

    private synchronized void unpin(String file, boolean snapshot, String child) {
        File found = files.get(file);
        if (found != null) {
            readers(found, snapshot)
                    .computeIfPresent(child, (name, count) -> count <= 1 ? null : count - 1);
            forgetIdle(file, found);
        }
    }

    private static Map<String, Integer> readers(File file, boolean snapshot) {
        return snapshot ? file.snapshotReaders : file.readers;
    }

    /**
     * A number of its own for each time that the file is held, and for each state of its header
     * while it is; 0: it is not held.
     */
    public synchronized long holdNumber(String file) {
        File found = files.get(file);
        return found == null ? 0 : found.number;
    }

    /** What was read of the header until now does not count any more. */
    synchronized void headerChanged(String file) {
        File found = files.get(file);
        if (found != null && found.use != null) {
            found.number = ++holds;
        }
    }

    private void forgetIdle(String file, File found) {
        if (found.isIdle()) {
            files.remove(file);
        }
    }

    private static Hold once(Runnable release) {
        java.util.concurrent.atomic.AtomicBoolean released =
                new java.util.concurrent.atomic.AtomicBoolean();
        return () -> {
            if (released.compareAndSet(false, true)) {
                release.run();
            }
        };
    }
}
