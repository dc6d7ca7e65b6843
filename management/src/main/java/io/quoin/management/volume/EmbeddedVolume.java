package io.quoin.management.volume;

import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.DiskMode;
import io.quoin.block.disk.MarkedCut;
import io.quoin.block.disk.Snapshot;
import io.quoin.block.disk.Volume;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.Stages;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A volume as a Java program sees it.
 *
 * <p>Threading: thread-safe.
 */
final class EmbeddedVolume implements Volume {
    private final LocalVolume volume;

    EmbeddedVolume(LocalVolume volume) {
        this.volume = volume;
    }

    @Override
    public List<String> disks() {
        return volume.disks().list().stream().map(DiskView::name).toList();
    }

    @Override
    public void create(String disk, long sizeBytes) {
        volume.disks().create(disk, sizeBytes, Map.of());
    }

    /** All users of a disk share one open image; one that only reads is refused writes here. */
    @Override
    public Disk open(String disk, DiskMode mode) {
        AttachedDisk attached = Stages.await(volume.disks().attach(disk));
        if (mode == DiskMode.READ_WRITE) {
            requireWritable(attached);
        }
        Disk shared = Disk.over(this, disk, attached.ring(), attached::close);
        return mode == DiskMode.READ_ONLY ? new ReadOnlyDisk(shared) : shared;
    }

    @Override
    public Snapshot snapshot(String disk, String name) {
        SnapshotName wanted = new SnapshotName(disk, name);
        return snapshot(volume.disks().snapshots().create(wanted, CheckEvents.SILENT));
    }

    @Override
    public List<Snapshot> snapshot(List<String> disks, String name) {
        GroupRequest request = GroupRequest.of(disks, name);
        return volume.disks().groups().create(request, CheckEvents.SILENT).stream()
                .map(EmbeddedVolume::snapshot)
                .toList();
    }

    @Override
    public MarkedCut cut(List<String> disks, String name) {
        return EmbeddedCut.begin(this, volume.disks().groups(), GroupRequest.of(disks, name));
    }

    @Override
    public List<Snapshot> snapshots(String disk) {
        return volume.disks().snapshots().of(disk).stream().map(EmbeddedVolume::snapshot).toList();
    }

    static Snapshot snapshot(SnapshotView view) {
        return new Snapshot(
                view.disk(), view.name(), Instant.parse(view.createdAt()), view.sizeBytes());
    }

    @Override
    public void removeSnapshot(String disk, String name) {
        volume.disks().snapshots().remove(new SnapshotName(disk, name), CheckEvents.SILENT);
    }

    private static void requireWritable(AttachedDisk attached) {
        try {
            attached.requireWritable();
        } catch (BlockException e) {
            Stages.await(attached.close());
            throw e;
        }
    }

    @Override
    public void close() {
        volume.close();
    }
}
