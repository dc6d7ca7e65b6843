package io.quoin.management.backup;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.SnapshotCut;
import io.quoin.management.guest.FreezeOptions;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.GroupMember;
import io.quoin.management.volume.GroupRequest;
import io.quoin.snapshot.SnapshotName;
import java.util.List;

/**
 * The moment at which disks of a volume are backed up. That of one disk has no deadline. No group
 * of snapshots is recorded: the manifests say which backups belong together, and the records of the
 * backups what a crash leaves.
 *
 * <p>Threading: confined to the thread of the backup.
 */
public final class VolumeCut implements SnapshotCut {
    private final DiskVolume disks;

    public VolumeCut(DiskVolume disks) {
        this.disks = disks;
    }

    @Override
    public void create(List<Wanted> wanted, BackupEvents events) {
        if (wanted.size() == 1) {
            Wanted one = wanted.get(0);
            disks.snapshots()
                    .create(
                            new SnapshotName(one.disk(), one.name()),
                            one.uuid(),
                            VolumeDisk.untilEnding(events));
        } else {
            createTogether(wanted, events);
        }
        disks.refreshNames();
    }

    private void createTogether(List<Wanted> wanted, BackupEvents events) {
        GroupRequest request =
                new GroupRequest(
                        wanted.stream().map(Wanted::disk).toList(),
                        "backup",
                        false,
                        GroupRequest.LIMIT_NANOS,
                        FreezeOptions.NONE);
        List<GroupMember> members =
                wanted.stream()
                        .map(
                                each ->
                                        new GroupMember(
                                                new SnapshotName(each.disk(), each.name()),
                                                each.uuid()))
                        .toList();
        disks.groups().create(request, members, VolumeDisk.untilEnding(events));
    }
}
