package io.quoin.management.cli;

import io.quoin.management.operation.SnapgroupLs;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.GroupView;
import io.quoin.management.volume.SnapshotView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the groups of snapshots are called.
 *
 * <p>Threading: immutable.
 */
final class GroupNames {
    private GroupNames() {}

    /** The groups by UUID; not looked up if none of the snapshots is in one. */
    static Map<String, GroupView> of(VolumeClient client, List<SnapshotView> snapshots) {
        Map<String, GroupView> groups = new HashMap<>();
        if (snapshots.stream().anyMatch(snapshot -> snapshot.group() != null)) {
            client.call(SnapgroupLs.TYPE, new SnapgroupLs.Request())
                    .groups()
                    .forEach(group -> groups.put(group.uuid(), group));
        }
        return groups;
    }

    /** As shown in a table: the UUID of one that is not known in this data folder. */
    static String text(@Nullable String uuid, Map<String, GroupView> groups) {
        if (uuid == null) {
            return "-";
        }
        GroupView group = groups.get(uuid);
        if (group == null) {
            return uuid;
        }
        return group.isWhole() ? group.name() : "unfinished";
    }
}
