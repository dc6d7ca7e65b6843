package io.quoin.management.volume;

import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.NodeStates;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.loop.NettyLoopGroup;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A volume in this process with everything that it stands on: the lock of its data folder, loops,
 * threads that may block, and the graph. Opened in that order, closed in the other.
 *
 * <p>Threading: thread-safe.
 */
public final class LocalVolume implements AutoCloseable {
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private @Nullable NettyLoopGroup loops;
    private @Nullable DiskVolume disks;
    private @Nullable Path folder;

    private LocalVolume() {}

    /**
     * Opens the volume of a data folder; makes it there if the folder is empty.
     *
     * @param volfile the graph to use instead of the folder's own
     * @param loopCount how many loops share the disks
     */
    public static LocalVolume open(DataFolder folder, @Nullable Path volfile, int loopCount) {
        return open(folder, volfile, loopCount, ProcessMemory.shared());
    }

    /** As above, with memory of its own. */
    public static LocalVolume open(
            DataFolder folder, @Nullable Path volfile, int loopCount, ProcessMemory memory) {
        folder.create();
        return openLocked(folder, volfile, loopCount, memory);
    }

    /**
     * As {@link #open}, of a volume that is there.
     *
     * @throws io.quoin.block.BlockException ENOENT if there is none: nothing is made
     */
    public static LocalVolume openExisting(
            DataFolder folder, @Nullable Path volfile, int loopCount) {
        folder.requireVolume(volfile);
        return openLocked(folder, volfile, loopCount, ProcessMemory.shared());
    }

    private static LocalVolume openLocked(
            DataFolder folder, @Nullable Path volfile, int loopCount, ProcessMemory memory) {
        LocalVolume volume = new LocalVolume();
        return volume.opened(
                () -> {
                    volume.add(FolderLock.acquire(folder));
                    volume.build(folder, volfile, volume.own(loopCount, memory));
                });
    }

    /**
     * As {@link #open}, of a folder whose lock the caller holds, on what it shares with others and
     * closes after it.
     */
    public static LocalVolume openHeld(
            DataFolder folder, @Nullable Path volfile, VolumeResources shared) {
        LocalVolume volume = new LocalVolume();
        return volume.opened(() -> volume.build(folder, volfile, shared));
    }

    /** Opens the volume that a volfile describes, without a data folder. */
    public static LocalVolume openVolfile(Path volfile, int loopCount) {
        LocalVolume volume = new LocalVolume();
        return volume.opened(
                () ->
                        volume.build(
                                volfile,
                                volume.own(loopCount, ProcessMemory.shared()),
                                folderOf(volfile),
                                NodeStates.NONE));
    }

    private VolumeResources own(int loopCount, ProcessMemory memory) {
        VolumeResources resources = new VolumeResources(loopCount, memory);
        add(resources);
        return resources;
    }

    public DiskVolume disks() {
        return Objects.requireNonNull(disks);
    }

    public NettyLoopGroup loops() {
        return Objects.requireNonNull(loops);
    }

    /** What relative paths in the volfile are relative to. */
    public Path folder() {
        return Objects.requireNonNull(folder);
    }

    private LocalVolume opened(Runnable opening) {
        try {
            opening.run();
            return this;
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    private static Path folderOf(Path volfile) {
        return Objects.requireNonNull(NameText.absolute(volfile).getParent());
    }

    private void build(DataFolder data, @Nullable Path volfile, VolumeResources resources) {
        build(
                volfile == null ? EmbeddedVolfile.ensure(data) : volfile,
                resources,
                data.path(),
                new FolderStates(data.nodes()));
    }

    /**
     * @param groups where groups are kept
     * @param states where nodes keep what they keep
     */
    private void build(Path volfile, VolumeResources resources, Path groups, NodeStates states) {
        NettyLoopGroup group = resources.loops();
        loops = group;
        Path directory = folderOf(volfile);
        folder = directory;
        Graph graph =
                Graph.build(
                        Volfile.read(volfile),
                        new GraphContext(
                                group,
                                resources.blocking(),
                                directory,
                                resources.memory(),
                                states));
        DiskVolume volume = DiskVolume.of(graph, group, groups);
        disks = volume;
        add(volume);
    }

    private void add(AutoCloseable part) {
        parts.push(part);
    }

    /** Closes every part, also after one has failed, and throws the first failure. */
    @Override
    public void close() {
        RuntimeException first = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                RuntimeException failure = Stages.asBlockException(e);
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
