package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ring.Cut;
import io.quoin.management.guest.FrozenGuests;
import io.quoin.qcow2.snapshot.PendingSnapshot;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.xlator.Stages;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a snapshot of each of several disks, at one instant, all or none; docs/adr/0033.
 *
 * <pre>
 *  PREPARE  each image has its turn
 *  FREEZE   the guests stand still
 *  ROUND    each image writes what has changed
 *  CUT      all rings hold, all images are cut, all go on
 *  THAW     the guests go on
 *  SETTLE   each image counts
 *  BEGIN    the record, pending
 *  PUBLISH  each image
 *  COMMIT   the record
 * </pre>
 *
 * An error before BEGIN voids all; one after it takes the published ones away again.
 *
 * <p>Threading: confined to its thread; blocks.
 */
final class GroupCreation {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCreation.class);

    /** For a disk whose thread hangs: the limits of the others have gone by long before. */
    private static final long HANGING_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long images wait for markers, and others for the images. */
    private static final long MARKERS_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final GroupRequest request;
    private final UUID uuid = UUID.randomUUID();
    private final List<Member> members = new ArrayList<>();
    private final GroupStore store;
    private final CheckEvents events;
    private final GroupWork work;

    /** Told the cut when its markers can be put; null: it is at once. */
    private final @Nullable CompletableFuture<Cut> markers;

    private Instant createdAt = Instant.EPOCH;
    private boolean isCommitted;

    /** A disk and, once it is prepared, its snapshot. */
    private static final class Member {
        private final GroupMember wanted;
        private final AttachedDisk disk;
        private final CompletableFuture<PendingSnapshot> prepared = new CompletableFuture<>();

        Member(GroupMember wanted, AttachedDisk disk) {
            this.wanted = wanted;
            this.disk = disk;
        }

        <T> CompletionStage<T> onLoop(Function<PendingSnapshot, CompletionStage<T>> step) {
            return prepared.thenComposeAsync(step, disk.loop());
        }
    }

    /**
     * @param wanted one of each disk of the request, in its order
     * @param disks the same ones, which stay attached
     * @param markers told the cut when its markers can be put; null: it is at once
     */
    GroupCreation(
            GroupRequest request,
            List<GroupMember> wanted,
            List<AttachedDisk> disks,
            GroupStore store,
            CheckEvents events,
            @Nullable CompletableFuture<Cut> markers) {
        this.markers = markers;
        this.request = request;
        this.store = store;
        this.events = events;
        this.work = new GroupWork(disks.size(), events);
        for (int i = 0; i < disks.size(); i++) {
            members.add(new Member(wanted.get(i), disks.get(i)));
        }
    }

    /**
     * Makes them.
     *
     * @return in the order of the request
     * @throws BlockException and then there is none
     */
    List<SnapshotInfo> run() {
        try {
            work.await(each(this::prepare));
            boolean frozen = cut();
            work.await(each(member -> member.onLoop(PendingSnapshot::settle)));
            return request.isGroup() ? publishGroup(frozen) : publish(frozen);
        } catch (RuntimeException | Error e) {
            abandon();
            throw e;
        }
    }

    private <T> List<CompletionStage<T>> each(Function<Member, CompletionStage<T>> step) {
        return members.stream().map(step).toList();
    }

    private CompletionStage<PendingSnapshot> prepare(Member member) {
        int index = members.indexOf(member);
        member.disk
                .loop()
                .execute(
                        () -> {
                            try {
                                relay(
                                        VolumeSnapshots.control(
                                                        member.disk.file(), member.disk.name())
                                                .prepare(
                                                        member.wanted.name().snapshot(),
                                                        member.wanted.uuid(),
                                                        request.isGroup() ? uuid : null,
                                                        work.of(index)),
                                        member.prepared);
                            } catch (BlockException e) {
                                member.prepared.completeExceptionally(e);
                            }
                        });
        return member.prepared;
    }

    // The target is what is waited for.
    @SuppressWarnings("FutureReturnValueIgnored")
    private static <T> void relay(CompletionStage<T> source, CompletableFuture<T> target) {
        source.whenComplete(
                (result, failure) -> {
                    if (failure == null) {
                        target.complete(result);
                    } else {
                        target.completeExceptionally(failure);
                    }
                });
    }

    /** Says whether all file systems of the guests stood still. */
    private boolean cut() {
        FrozenGuests guests = FrozenGuests.freeze(request.freeze(), events::finding);
        try (guests) {
            awaitRounds(each(member -> member.onLoop(PendingSnapshot::round)));
            List<Cut.Member> parts = members.stream().map(GroupCreation::cutMember).toList();
            cut(parts);
            createdAt = Instant.now();
        }
        return guests.stoodStill();
    }

    private void cut(List<Cut.Member> parts) {
        long limitNanos = request.limitNanos() + HANGING_NANOS;
        if (markers == null) {
            await(
                    Cut.start(parts, request.limitNanos()),
                    limitNanos,
                    "a disk of the group does not answer");
            return;
        }
        Cut cut = Cut.atMarkers(parts, request.limitNanos());
        markers.complete(cut);
        try {
            await(cut.result(), MARKERS_NANOS + limitNanos, "the markers did not come in time");
        } finally {
            cut.giveUp();
        }
    }

    /**
     * No longer than guests may take to be frozen, if there are any: they stand still meanwhile.
     */
    private void awaitRounds(List<CompletionStage<Void>> rounds) {
        if (request.freeze().isNone()) {
            work.await(rounds);
        } else {
            await(allOf(rounds), request.freeze().limitNanos(), "a disk's storage is too slow");
        }
    }

    private static Cut.Member cutMember(Member member) {
        PendingSnapshot pending = member.prepared.join();
        return new Cut.Member(
                "disk=" + member.disk.name(),
                member.disk.ring(),
                member.disk.loop()::schedule,
                pending::cut,
                pending::cancelCut);
    }

    private static <T> void await(CompletionStage<T> stage, long limitNanos, String otherwise) {
        try {
            stage.toCompletableFuture().get(limitNanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw Stages.asBlockException(e);
        } catch (TimeoutException e) {
            throw new BlockException(BlockError.EBUSY, otherwise, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    private List<SnapshotInfo> publish(boolean frozen) {
        return Stages.awaitTheEnd(
                allOf(each(member -> member.onLoop(pending -> pending.publish(frozen)))));
    }

    private List<SnapshotInfo> publishGroup(boolean frozen) {
        StoredGroup group =
                new StoredGroup(
                        uuid.toString(),
                        request.name(),
                        createdAt.toString(),
                        members.stream()
                                .map(
                                        member ->
                                                new StoredGroup.Member(
                                                        member.disk.name(),
                                                        member.prepared.join().uuid().toString()))
                                .toList());
        store.begin(group);
        try {
            List<SnapshotInfo> made = publish(frozen);
            store.commit(group, () -> isCommitted = true);
            return made;
        } catch (RuntimeException | Error e) {
            if (!isCommitted) {
                takeAway(group);
            }
            throw e;
        }
    }

    /** What cannot be taken away now is at the next open: the record stays pending. */
    private void takeAway(StoredGroup group) {
        abandon();
        try {
            Stages.awaitTheEnd(allOf(each(member -> withdraw(member.disk, group.id()))));
            store.forget(group);
        } catch (BlockException e) {
            LOG.warn(
                    "Snapshots of a group that was not made are taken away at the next open:"
                            + " group={}, name={}, reason={}",
                    group.uuid(),
                    group.name(),
                    e.getMessage());
        }
    }

    /** Takes a group's snapshot away from one disk. */
    static CompletionStage<Void> withdraw(AttachedDisk disk, UUID group) {
        return CompletableFuture.supplyAsync(
                        () ->
                                SnapshotControl.of(disk.file())
                                        .map(control -> control.withdraw(group))
                                        .orElseGet(() -> CompletableFuture.completedFuture(null)),
                        disk.loop())
                .thenCompose(Function.identity());
    }

    private static <T> CompletionStage<List<T>> allOf(List<CompletionStage<T>> stages) {
        CompletionStage<Void> ended =
                CompletableFuture.allOf(
                        stages.stream()
                                .map(CompletionStage::toCompletableFuture)
                                .toArray(CompletableFuture[]::new));
        return ended.thenApply(
                none -> stages.stream().map(stage -> stage.toCompletableFuture().join()).toList());
    }

    /** Waits until nothing of it is under way; those that are published stay. */
    private void abandon() {
        work.stop();
        List<CompletionStage<Void>> ends =
                each(
                        member ->
                                member.onLoop(PendingSnapshot::abandon)
                                        .exceptionally(neverPrepared -> null));
        Stages.awaitTheEnd(allOf(ends));
    }
}
