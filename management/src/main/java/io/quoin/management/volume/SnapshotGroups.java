package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ring.Cut;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.Stages;
import io.quoin.xlator.graph.NearestName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots of several disks at one instant. Public methods wait, and throw {@link BlockException}.
 *
 * <p>Threading: thread-safe.
 */
public final class SnapshotGroups {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotGroups.class);
    private static final long POLL_MILLIS = 100;

    private final OpenDisks disks;
    private final VolumeSnapshots snapshots;
    private final Supplier<List<SnapshotView>> all;
    private final Function<String, List<String>> children;
    private final GroupStore store;

    /** Two at once could each have the turn of a disk that the other waits for. */
    private final ReentrantLock creating = new ReentrantLock(true);

    /**
     * @param folder where groups are kept
     * @param all looks up the snapshots of all disks
     * @param children looks up the disks that stand on a snapshot
     */
    SnapshotGroups(
            Path folder,
            OpenDisks disks,
            VolumeSnapshots snapshots,
            Supplier<List<SnapshotView>> all,
            Function<String, List<String>> children) {
        this.all = all;
        this.children = children;
        this.disks = disks;
        this.snapshots = snapshots;
        this.store = new GroupStore(folder);
    }

    /**
     * Makes a snapshot of each disk, attached or not, at one instant: what was written to one of
     * them after a write to another had been answered is not there without that. All or none.
     *
     * @return in the order of the request
     * @throws BlockException EBUSY if a disk did not come to rest in time, ENOTSUP, EROFS or EEXIST
     *     if one of them cannot have it
     */
    public List<SnapshotView> create(GroupRequest request, CheckEvents events) {
        return create(request, membersOf(request), events);
    }

    private static List<GroupMember> membersOf(GroupRequest request) {
        return request.disks().stream()
                .map(disk -> new SnapshotName(disk, request.name()))
                .map(name -> new GroupMember(name, UUID.randomUUID()))
                .toList();
    }

    /**
     * As above, at the instant of markers.
     *
     * @param markers told the cut when its markers can be put
     */
    List<SnapshotView> create(GroupRequest request, CompletableFuture<Cut> markers) {
        return create(request, membersOf(request), CheckEvents.SILENT, markers);
    }

    /**
     * As above, under names and UUIDs that the caller has noted before.
     *
     * @param members one of each disk of the request, in its order
     */
    public List<SnapshotView> create(
            GroupRequest request, List<GroupMember> members, CheckEvents events) {
        return create(request, members, events, null);
    }

    private List<SnapshotView> create(
            GroupRequest request,
            List<GroupMember> members,
            CheckEvents events,
            @Nullable CompletableFuture<Cut> markers) {
        lock(events);
        List<AttachedDisk> attached = new ArrayList<>();
        try {
            for (GroupMember member : members) {
                attached.add(Stages.awaitTheEnd(disks.attach(member.name().disk())));
            }
            attached.forEach(VolumeSnapshots::requireSnapshots);
            List<SnapshotInfo> made =
                    new GroupCreation(request, members, attached, store, events, markers).run();
            List<SnapshotView> views = new ArrayList<>();
            for (int i = 0; i < made.size(); i++) {
                views.add(SnapshotView.of(members.get(i).name().disk(), made.get(i), 0));
            }
            return views;
        } finally {
            creating.unlock();
            Stages.await(
                    CompletableFuture.allOf(
                            attached.stream()
                                    .map(disk -> disk.close().toCompletableFuture())
                                    .toArray(CompletableFuture[]::new)));
        }
    }

    /**
     * Those of {@code names} that can have snapshots.
     *
     * @param events told why the others cannot
     */
    public List<String> able(List<String> names, CheckEvents events) {
        List<String> able = new ArrayList<>();
        for (String name : names) {
            AttachedDisk disk = Stages.awaitTheEnd(disks.attach(name));
            try {
                VolumeSnapshots.requireSnapshots(disk);
                able.add(name);
            } catch (BlockException e) {
                if (e.error() != BlockError.ENOTSUP && e.error() != BlockError.EROFS) {
                    throw e;
                }
                events.finding("left out: " + e.getMessage());
            } finally {
                Stages.await(disk.close());
            }
        }
        return able;
    }

    private void lock(CheckEvents events) {
        try {
            while (!creating.tryLock(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                if (!events.progress(0, 0)) {
                    throw new BlockException(BlockError.ESHUTDOWN, "snapshots of a group: stopped");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    /** All groups, the oldest first. */
    public List<GroupView> list() {
        List<StoredGroup> whole = store.whole();
        List<StoredGroup> pending = store.pending();
        List<GroupView> views = new ArrayList<>();
        if (whole.isEmpty() && pending.isEmpty()) {
            return views;
        }
        List<SnapshotView> now = all.get();
        whole.forEach(group -> views.add(view(group, true, now)));
        pending.forEach(group -> views.add(view(group, false, now)));
        return views;
    }

    private static GroupView view(StoredGroup group, boolean isWhole, List<SnapshotView> now) {
        List<String> there = new ArrayList<>();
        List<String> removed = new ArrayList<>();
        boolean frozen = true;
        for (StoredGroup.Member member : group.members()) {
            List<SnapshotView> found =
                    now.stream()
                            .filter(snapshot -> member.uuid().equals(snapshot.uuid()))
                            .filter(snapshot -> member.disk().equals(snapshot.disk()))
                            .toList();
            if (found.isEmpty()) {
                removed.add(member.disk());
            } else {
                there.add(found.get(0).fullName());
                frozen &= found.get(0).frozen();
            }
        }
        return new GroupView(
                group.uuid(),
                group.name(),
                group.createdAt(),
                frozen && !there.isEmpty(),
                isWhole,
                there,
                removed);
    }

    /**
     * One group, by UUID or by name.
     *
     * @throws BlockException ENOENT, or EINVAL if there are several of that name
     */
    public GroupView info(String uuidOrName) {
        List<GroupView> found = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (GroupView group : list()) {
            names.add(group.name());
            if (group.uuid().equals(uuidOrName)) {
                return group;
            }
            if (group.name().equals(uuidOrName)) {
                found.add(group);
            }
        }
        if (found.isEmpty()) {
            String hint =
                    NearestName.find(uuidOrName, names)
                            .map(near -> "; did you mean " + near + "?")
                            .orElse("");
            throw new BlockException(
                    BlockError.ENOENT, "no such group of snapshots: name=" + uuidOrName + hint);
        }
        if (found.size() > 1) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "groups of snapshots: name="
                            + uuidOrName
                            + ", count="
                            + found.size()
                            + ", expected=one, or its UUID: "
                            + String.join(", ", found.stream().map(GroupView::uuid).toList()));
        }
        return found.get(0);
    }

    /**
     * Removes the snapshots of a group, one after the other, and gives their space back. If it ends
     * half-way the group has those that are left.
     *
     * @return {@code DISK@SNAPSHOT} of those that were removed
     * @throws BlockException EBUSY, with none removed, if one of them is read or stood on
     */
    public List<String> remove(String uuidOrName, CheckEvents events) {
        GroupView group = info(uuidOrName);
        for (String snapshot : group.snapshots()) {
            requireRemovable(snapshot);
        }
        for (String snapshot : group.snapshots()) {
            snapshots.remove(SnapshotName.of(snapshot), events);
        }
        forgetIfEmpty(group.uuid());
        return group.snapshots();
    }

    private void requireRemovable(String snapshot) {
        disks.requireUnused(snapshot);
        List<String> standing = children.apply(snapshot);
        if (!standing.isEmpty()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "snapshot is in use: name="
                            + snapshot
                            + ", used by="
                            + String.join(", ", standing));
        }
    }

    /** Forgets a group once the last of its snapshots is gone; looks at its disks. */
    public void forgetIfEmpty(String uuid) {
        for (StoredGroup group : store.whole()) {
            if (group.uuid().equals(uuid) && group.members().stream().noneMatch(this::isThere)) {
                store.forget(group);
            }
        }
    }

    private boolean isThere(StoredGroup.Member member) {
        try {
            return snapshots.of(member.disk()).stream()
                    .anyMatch(snapshot -> member.uuid().equals(snapshot.uuid()));
        } catch (BlockException e) {
            return e.error() != BlockError.ENOENT; // a disk that cannot be read may have it
        }
    }

    /**
     * Takes away what groups have left that were not made whole when the process before ended. What
     * cannot be taken away now is at the next open.
     */
    void recover() {
        List<StoredGroup> pending;
        try {
            store.removeUnfinished();
            pending = store.pending();
        } catch (BlockException e) {
            LOG.warn("Groups of snapshots cannot be looked at: {}", e.getMessage());
            return;
        }
        for (StoredGroup group : pending) {
            try {
                group.members().forEach(member -> takeAway(group, member));
                store.forget(group);
                LOG.info(
                        "Unfinished group taken away: uuid={}, name={}",
                        group.uuid(),
                        group.name());
            } catch (BlockException e) {
                LOG.warn(
                        "Unfinished group is not taken away: uuid={}, name={}, reason={}",
                        group.uuid(),
                        group.name(),
                        e.getMessage());
            }
        }
    }

    private void takeAway(StoredGroup group, StoredGroup.Member member) {
        AttachedDisk disk;
        try {
            disk = Stages.awaitTheEnd(disks.attach(member.disk()));
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT) {
                return; // with the disk its snapshot is gone
            }
            throw e;
        }
        try {
            Stages.awaitTheEnd(GroupCreation.withdraw(disk, group.id()));
        } finally {
            Stages.await(disk.close());
        }
    }
}
