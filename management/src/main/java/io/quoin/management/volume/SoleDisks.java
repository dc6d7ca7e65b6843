package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Disks that one user has for itself for as long as it likes; what comes to attach them meanwhile
 * is refused. Methods wait.
 *
 * <p>Threading: thread-safe.
 */
public final class SoleDisks {
    /** Held in memory. */
    private static final int EXTENTS_MAX = 1 << 20;

    private final OpenDisks disks;
    private final VolumeDiffs diffs;
    private final VolumeSnapshots snapshots;

    SoleDisks(OpenDisks disks, VolumeDiffs diffs, VolumeSnapshots snapshots) {
        this.disks = disks;
        this.diffs = diffs;
        this.snapshots = snapshots;
    }

    /**
     * Takes a disk.
     *
     * @param why what it is taken for, for those that are refused
     * @param since a snapshot of it that it is compared with, when nothing can change it any more;
     *     null: with none
     * @throws BlockException EBUSY while it is attached, EROFS for one that others stand on
     */
    public Held take(String name, String why, @Nullable SnapshotName since) {
        List<DiffExtent> changed = new ArrayList<>();
        AttachedDisk attached =
                Stages.awaitTheEnd(
                        disks.attachAlone(name, why, () -> compare(name, since, changed)));
        try {
            VolumeSnapshots.requireSnapshots(attached);
            if (changed.size() >= EXTENTS_MAX) {
                throw new BlockException(
                        BlockError.EFBIG,
                        "disk has changed in too many places: name="
                                + name
                                + ", since="
                                + since
                                + ", expected=less than "
                                + EXTENTS_MAX);
            }
            return new Held(attached, changed);
        } catch (RuntimeException | Error e) {
            Stages.await(attached.close());
            throw e;
        }
    }

    private CompletionStage<Void> compare(
            String name, @Nullable SnapshotName since, List<DiffExtent> changed) {
        return since == null
                ? CompletableFuture.completedFuture(null)
                : diffs.compared(
                        since,
                        name,
                        0,
                        extent -> {
                            changed.add(extent);
                            return changed.size() < EXTENTS_MAX;
                        });
    }

    /**
     * A disk that was taken, until it is closed.
     *
     * <p>Threading: confined to its user.
     */
    public final class Held implements AutoCloseable {
        private final AttachedDisk attached;
        private final List<DiffExtent> changed;
        private final Disk disk;

        private Held(AttachedDisk attached, List<DiffExtent> changed) {
            this.attached = attached;
            this.changed = List.copyOf(changed);
            this.disk = Disk.over(attached.name(), attached.ring(), attached::close);
        }

        /** To be read and written. */
        public Disk disk() {
            return disk;
        }

        /** Where it may differ from what it was compared with when it was taken, in order. */
        public List<DiffExtent> changed() {
            return changed;
        }

        public void resize(long sizeBytes) {
            Stages.await(
                    CompletableFuture.supplyAsync(
                                    () -> attached.file().resize(sizeBytes), attached.loop())
                            .thenCompose(Function.identity()));
        }

        /** Makes a snapshot of it under a UUID that is known elsewhere. */
        public SnapshotView snapshot(String name, UUID uuid, CheckEvents events) {
            return snapshots.create(attached, name, uuid, events);
        }

        @Override
        public void close() {
            disk.close();
        }
    }
}
