package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * What differs between snapshots of a volume's disks. Public methods wait.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeDiffs {
    private final Xlator graph;
    private final LoopGroup loops;
    private final OpenDisks disks;

    VolumeDiffs(Xlator graph, LoopGroup loops, OpenDisks disks) {
        this.graph = graph;
        this.loops = loops;
        this.disks = disks;
    }

    /**
     * The first differences from {@code startBytes} on. Neither snapshot can be removed meanwhile.
     *
     * @param older what is compared with
     * @param newer a snapshot, or the disk itself, of the same image
     * @param startBytes 0, or the end of an extent that was told before
     * @param limit how many extents at most
     * @throws BlockException ENOENT without such a snapshot, EBUSY for a disk that is attached,
     *     EINVAL for two disks, EIO for a mapping that cannot be read
     */
    public List<DiffExtent> diff(SnapshotName older, String newer, long startBytes, int limit) {
        String disk = SnapshotName.isOne(newer) ? SnapshotName.of(newer).disk() : newer;
        if (!disk.equals(older.disk())) {
            throw new BlockException(
                    BlockError.EINVAL, "not of one disk: name=" + older + ", other=" + newer);
        }
        if (newer.equals(disk) && disks.present(disk) != null) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "disk is attached, so it changes while it is compared: name="
                            + disk
                            + "; make a snapshot of it and compare that");
        }
        List<DiffExtent> told = new ArrayList<>();
        Predicate<DiffExtent> consumer =
                extent -> {
                    told.add(extent);
                    return told.size() < limit;
                };
        Stages.awaitTheEnd(compared(older, newer, startBytes, consumer));
        return told;
    }

    /**
     * As {@link #diff}, of states that do not change meanwhile.
     *
     * @param consumer says whether it wants more; called on a thread of the comparison
     */
    CompletionStage<Void> compared(
            SnapshotName older, String newer, long startBytes, Predicate<DiffExtent> consumer) {
        Loop loop = loops.next();
        return opened(
                newer,
                loop,
                file ->
                        opened(
                                older.toString(),
                                loop,
                                before -> compare(file, before, startBytes, consumer)));
    }

    private static CompletionStage<Void> compare(
            XlatorFile newer, XlatorFile older, long startBytes, Predicate<DiffExtent> consumer) {
        return DiffControl.of(newer)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "disk cannot be compared, as its image is not qcow2: name="
                                                + newer.fileName()))
                .since(older, startBytes, Long.MAX_VALUE, consumer);
    }

    /** What is done with an open file, on its loop. */
    private interface Use {
        CompletionStage<Void> of(XlatorFile file);
    }

    private CompletionStage<Void> opened(String name, Loop loop, Use use) {
        return graph.open(name, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync(file -> Stages.thenClose(file, () -> use.of(file)), loop);
    }
}
