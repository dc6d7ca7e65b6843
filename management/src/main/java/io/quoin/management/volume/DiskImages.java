package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.snapshot.SnapshotName;
import io.quoin.snapshot.UnfinishedDisks;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * Content of disks on its way out of a volume, or into it. Methods wait.
 *
 * <p>Threading: thread-safe.
 */
public final class DiskImages {
    private final Xlator graph;
    private final LoopGroup loops;
    private final OpenDisks disks;

    DiskImages(Xlator graph, LoopGroup loops, OpenDisks disks) {
        this.graph = graph;
        this.loops = loops;
        this.disks = disks;
    }

    /**
     * A file that is open, which its holder closes on the loop.
     *
     * <p>Threading: immutable; the file is confined to the loop.
     */
    public record Opened(XlatorFile file, Loop loop) {}

    /**
     * Opens what does not change: a snapshot, or a disk that nothing writes. It cannot be attached
     * for writing until it is closed.
     *
     * @throws BlockException EBUSY for a disk that is attached for writing
     */
    public Opened openStill(String name) {
        requireStill(name);
        return open(loop -> graph.open(name, OpenOptions.READ_ONLY, loop));
    }

    /** EBUSY for a disk that is attached for writing. */
    public void requireStill(String name) {
        CompletionStage<OpenDisk> present = disks.present(name);
        if (present != null
                && !SnapshotName.isOne(name)
                && Stages.await(present).whyReadOnly() == null) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "disk is attached, so it changes while it is read: name="
                            + name
                            + "; make a snapshot of it and name that, as in "
                            + name
                            + "@now");
        }
    }

    private interface Opening {
        CompletionStage<XlatorFile> on(Loop loop);
    }

    private Opened open(Opening opening) {
        Loop loop = loops.next();
        return new Opened(Stages.await(opening.on(loop)), loop);
    }

    /**
     * Makes a disk that is not there yet: it is filled, and then published, or discarded.
     *
     * @param disk its name
     * @throws BlockException EEXIST if there is a disk of that name
     */
    public Unfinished make(String disk, long sizeBytes) {
        UnfinishedDisks unfinished = UnfinishedDisks.of(graph);
        String file = Stages.await(unfinished.make(disk, new CreateOptions(sizeBytes, Map.of())));
        return new Unfinished(unfinished, disk, file);
    }

    /**
     * Takes a qcow2 file of this machine in, as a disk that is not there yet.
     *
     * @param disk its name
     * @param source its path, with links followed; it stays there, too
     */
    public Unfinished adopt(String disk, Path source) {
        UnfinishedDisks unfinished = UnfinishedDisks.of(graph);
        return new Unfinished(unfinished, disk, Stages.await(unfinished.adopt(disk, source)));
    }

    /** EEXIST if there is a disk of that name, EINVAL if there can be none. */
    public void requireAbsent(String disk) {
        try {
            Stages.await(graph.stat(disk));
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT && !SnapshotName.isOne(disk)) {
                return;
            }
            throw e;
        }
        throw new BlockException(
                BlockError.EEXIST,
                "disk already exists: name=" + disk + "; choose another name or remove it first");
    }

    /**
     * A disk in the making.
     *
     * <p>Threading: confined to its user, who waits.
     */
    public final class Unfinished {
        private final UnfinishedDisks unfinished;
        private final String disk;
        private final String file;

        private Unfinished(UnfinishedDisks unfinished, String disk, String file) {
            this.unfinished = unfinished;
            this.disk = disk;
            this.file = file;
        }

        /** For writing. */
        public Opened open() {
            return DiskImages.this.open(loop -> unfinished.openUnfinished(file, loop));
        }

        /** Gives it its name, once it is closed. */
        public void publish() {
            Stages.await(unfinished.publish(file, disk));
        }

        /** Removes it, once it is closed. */
        public void discard() {
            Stages.await(unfinished.discard(file));
        }
    }
}
