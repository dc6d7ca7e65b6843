package io.quoin.management.backup;

import io.quoin.backup.BackedDisk;
import io.quoin.backup.BackupEvents;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.management.volume.AttachedDisk;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.DiskVolume;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.Stages;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A disk of a volume that is backed up.
 *
 * <p>Threading: confined to the thread of the backup.
 */
public final class VolumeDisk implements BackedDisk {
    private final DiskVolume disks;
    private final String name;
    private final long sizeBytes;
    private final @Nullable String backing;

    private VolumeDisk(DiskVolume disks, String name, long sizeBytes, @Nullable String backing) {
        this.disks = disks;
        this.name = name;
        this.sizeBytes = sizeBytes;
        this.backing = backing;
    }

    /**
     * A disk that is there.
     *
     * @throws BlockException ENOENT if it is not
     */
    public static VolumeDisk of(DiskVolume disks, String name) {
        DiskView found = disks.info(name);
        return new VolumeDisk(disks, name, found.sizeBytes(), backing(found.details()));
    }

    /** Null: there is none. */
    public static @Nullable VolumeDisk find(DiskVolume disks, String name) {
        try {
            return of(disks, name);
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT) {
                return null;
            }
            throw e;
        }
    }

    private static @Nullable String backing(Map<?, ?> details) {
        Object file = details.get("backing-file");
        if (file == null) {
            return null;
        }
        String one = file + " (" + details.get("backing-format") + ")";
        String below = details.get("backing") instanceof Map<?, ?> next ? backing(next) : null;
        return below == null ? one : one + ", " + below;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public @Nullable String backing() {
        return backing;
    }

    @Override
    public List<Point> snapshots() {
        return disks.snapshots().of(name).stream()
                .map(snapshot -> new Point(snapshot.name(), snapshot.uuid()))
                .toList();
    }

    /** Once begun it goes on to its end: what a backup leaves is as it was meant then. */
    @Override
    public void removeSnapshot(String snapshot, BackupEvents events) {
        disks.snapshots().remove(named(snapshot), CheckEvents.SILENT);
        disks.refreshNames();
    }

    private SnapshotName named(String snapshot) {
        return new SnapshotName(name, snapshot);
    }

    static CheckEvents untilEnding(BackupEvents events) {
        return new CheckEvents() {
            @Override
            public boolean progress(long done, long total) {
                return !events.isEnding();
            }
        };
    }

    @Override
    public Disk openSnapshot(String snapshot) {
        return open(disks, named(snapshot).toString());
    }

    static Disk open(DiskVolume disks, String name) {
        AttachedDisk attached = Stages.awaitTheEnd(disks.attach(name));
        return Disk.over(name, attached.ring(), attached::close);
    }

    @Override
    public List<DiffExtent> changes(String older, String newer, long start, int limit) {
        return disks.diffs().diff(named(older), named(newer).toString(), start, limit);
    }
}
