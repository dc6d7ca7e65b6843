package io.quoin.management.operation;

import io.quoin.backup.BackupRequest;
import io.quoin.backup.Retention;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.schedule.MadeSnapshots;
import io.quoin.management.schedule.ScheduleSpec;
import io.quoin.management.schedule.Schedules;
import io.quoin.management.schedule.StoredSchedule;
import io.quoin.management.volume.GroupMember;
import io.quoin.management.volume.GroupRequest;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A run of a schedule: it makes snapshots or backups, and then removes those of its own that no
 * rule keeps.
 *
 * <p>Threading: confined to the job's thread.
 */
final class ScheduledWork {
    private final ManagedVolume volume;
    private final StoredSchedule schedule;

    /** Name of the snapshots or backups. */
    private final String makes;

    private final JobControl control;

    /**
     * @param running the schedule and its run that goes on
     */
    ScheduledWork(ManagedVolume volume, Schedules.Running running, JobControl control) {
        this.volume = volume;
        this.schedule = running.schedule();
        this.makes = running.makes();
        this.control = control;
    }

    static String unit(ScheduleSpec spec) {
        return spec.repository() == null ? SnapshotJob.UNIT : BackupJob.UNIT;
    }

    ScheduleRun.Result run() {
        ScheduleSpec spec = schedule.spec();
        List<String> disks = DiskChoice.of(spec.disks(), spec.group(), volume);
        String repository = spec.repository();
        return repository == null ? snapshot(disks) : backUp(disks, repository);
    }

    private ScheduleRun.Result backUp(List<String> disks, String repository) {
        ScheduleSpec spec = schedule.spec();
        BackupWork work = new BackupWork(volume, repository, control);
        List<BackupView> made =
                work.create(
                        disks,
                        new BackupRequest(
                                makes,
                                spec.incremental(),
                                spec.compress(),
                                spec.fullEvery(),
                                schedule.id()));
        return new ScheduleRun.Result(
                spec.name(), List.of(), made, work.prune(disks, spec.retention(), schedule.id()));
    }

    private ScheduleRun.Result snapshot(List<String> disks) {
        List<GroupMember> members =
                disks.stream()
                        .map(
                                disk ->
                                        new GroupMember(
                                                new SnapshotName(disk, makes), UUID.randomUUID()))
                        .toList();
        note(members);
        SnapshotJob events = new SnapshotJob(control);
        if (members.size() == 1) {
            GroupMember one = members.get(0);
            volume.disks().snapshots().create(one.name(), one.uuid(), events);
        } else {
            volume.disks().groups().create(GroupRequest.of(disks, makes), members, events);
        }
        volume.disks().refreshNames();
        List<String> removed = removeSnapshots();
        return new ScheduleRun.Result(
                schedule.spec().name(),
                members.stream().map(each -> each.name().toString()).toList(),
                List.of(),
                removed);
    }

    /** Before they are made: what is noted and not there is forgotten later. */
    private void note(List<GroupMember> members) {
        MadeSnapshots noted =
                new MadeSnapshots(
                        makes,
                        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                        members.stream()
                                .map(
                                        each ->
                                                new MadeSnapshots.Of(
                                                        each.name().disk(), each.uuid().toString()))
                                .toList());
        change(
                before -> {
                    List<MadeSnapshots> all = new ArrayList<>(before);
                    all.add(noted);
                    return all;
                });
    }

    private void change(UnaryOperator<List<MadeSnapshots>> change) {
        volume.schedules().noteMade(schedule.spec().name(), change);
    }

    /** Those that no rule keeps, the oldest first. One that is in use stays until the next run. */
    private List<String> removeSnapshots() {
        Retention retention = schedule.spec().retention();
        List<MadeSnapshots> there = new ArrayList<>();
        List<MadeSnapshots> gone = new ArrayList<>();
        for (MadeSnapshots each : volume.schedules().made(schedule.spec().name())) {
            (present(each).isEmpty() ? gone : there).add(each);
        }
        List<String> removed = new ArrayList<>();
        if (!retention.keepsAll()) {
            Map<String, String> kept = retention.kept(newestFirst(there));
            for (MadeSnapshots each : there) {
                if (!kept.containsKey(each.name()) && isRemoved(each, removed)) {
                    gone.add(each);
                }
            }
        }
        change(before -> before.stream().filter(each -> !gone.contains(each)).toList());
        volume.disks().refreshNames();
        return removed;
    }

    private static List<Retention.Dated> newestFirst(List<MadeSnapshots> there) {
        List<Retention.Dated> dated = new ArrayList<>();
        for (int i = there.size() - 1; i >= 0; i--) {
            MadeSnapshots each = there.get(i);
            dated.add(new Retention.Dated(each.name(), Instant.parse(each.createdAt())));
        }
        return dated;
    }

    /** Those of one run that are there under the name that they were made with. */
    private List<SnapshotView> present(MadeSnapshots made) {
        List<SnapshotView> present = new ArrayList<>();
        for (MadeSnapshots.Of each : made.snapshots()) {
            snapshotsOf(each.disk()).stream()
                    .filter(snapshot -> Objects.equals(snapshot.uuid(), each.uuid()))
                    .filter(snapshot -> snapshot.name().equals(made.name()))
                    .forEach(present::add);
        }
        return present;
    }

    private List<SnapshotView> snapshotsOf(String disk) {
        try {
            return volume.disks().snapshots().of(disk);
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT) {
                return List.of();
            }
            throw e;
        }
    }

    private boolean isRemoved(MadeSnapshots made, List<String> removed) {
        boolean isRemoved = true;
        for (SnapshotView snapshot : present(made)) {
            try {
                volume.disks()
                        .snapshots()
                        .remove(
                                new SnapshotName(snapshot.disk(), snapshot.name()),
                                new SnapshotJob(control));
                removed.add(snapshot.fullName());
                forget(snapshot.group());
            } catch (BlockException e) {
                if (e.error() == BlockError.ESHUTDOWN) {
                    throw e;
                }
                isRemoved = false;
                control.message(
                        "snapshot stays until the next run: snapshot="
                                + snapshot.fullName()
                                + ", reason="
                                + e.getMessage());
            }
        }
        return isRemoved;
    }

    private void forget(@Nullable String group) {
        if (group != null) {
            volume.disks().groups().forgetIfEmpty(group);
        }
    }
}
