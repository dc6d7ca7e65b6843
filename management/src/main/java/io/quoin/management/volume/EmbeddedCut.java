package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.MarkedCut;
import io.quoin.block.disk.Snapshot;
import io.quoin.block.disk.Volume;
import io.quoin.block.ring.Cut;
import io.quoin.xlator.Stages;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Snapshots of several disks at markers, which a thread of its own makes.
 *
 * <p>Threading: thread-safe.
 */
final class EmbeddedCut implements MarkedCut {
    private final Volume volume;
    private final List<String> disks;
    private final Cut cut;
    private final CompletableFuture<List<Snapshot>> made;

    private EmbeddedCut(
            Volume volume, List<String> disks, Cut cut, CompletableFuture<List<Snapshot>> made) {
        this.volume = volume;
        this.disks = disks;
        this.cut = cut;
        this.made = made;
    }

    /** Returns when markers can be put. */
    static EmbeddedCut begin(Volume volume, SnapshotGroups groups, GroupRequest request) {
        CompletableFuture<Cut> markers = new CompletableFuture<>();
        CompletableFuture<List<Snapshot>> made = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> make(groups, request, markers, made), "quoin-cut-" + request.name());
        thread.setDaemon(true);
        thread.start();
        return new EmbeddedCut(volume, request.disks(), Stages.awaitTheEnd(markers), made);
    }

    private static void make(
            SnapshotGroups groups,
            GroupRequest request,
            CompletableFuture<Cut> markers,
            CompletableFuture<List<Snapshot>> made) {
        try {
            made.complete(
                    groups.create(request, markers).stream()
                            .map(EmbeddedVolume::snapshot)
                            .toList());
        } catch (RuntimeException | Error e) {
            made.completeExceptionally(e);
            markers.completeExceptionally(e);
        }
    }

    @Override
    public void mark(Disk disk) {
        int index = disks.indexOf(disk.name());
        if (index < 0 || !volume.equals(disk.volume())) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "disk is not one of those that are cut: disk="
                            + disk.name()
                            + ", expected=one of "
                            + String.join(", ", disks));
        }
        while (!cut.offerMarker(index)) {
            CompletableFuture<Void> room = new CompletableFuture<>();
            cut.whenRoom(index, () -> room.complete(null));
            disk.await(room);
        }
    }

    @Override
    public List<Snapshot> await() {
        return Stages.awaitTheEnd(made);
    }

    @Override
    public void close() {
        cut.giveUp();
        CompletableFuture<Void> ended = made.handle((snapshots, failure) -> null);
        ended.join();
    }
}
