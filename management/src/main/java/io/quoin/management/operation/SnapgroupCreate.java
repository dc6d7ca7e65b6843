package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.guest.FreezeOptions;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.GroupRequest;
import io.quoin.management.volume.SnapshotView;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapgroup.create}: a job.
 *
 * <p>Threading: immutable.
 */
public final class SnapgroupCreate
        implements JobOperation<SnapgroupCreate.Request, SnapgroupCreate.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapgroup.create",
                    Kind.JOB,
                    "POST /v1/snapshot-groups",
                    "Make snapshots of several disks at one instant, all or none, while guests use"
                            + " them.",
                    Request.class,
                    JobView.class);

    /** How long freezing guests may take, and thawing them, unless told otherwise. */
    public static final long FREEZE_MILLIS = 10_000;

    private static final long FREEZE_MILLIS_MAX = 600_000;

    /**
     * What is made.
     *
     * @param snapshot name of each snapshot; left out, by date and time
     * @param disks their names; left out, those of {@code group}
     * @param group a group of disks that is kept
     * @param leaveOut whether disks that can have no snapshot are left out, and told in a message
     * @param ungrouped whether it is not recorded that they belong together
     * @param deadlineMillis how long a disk stands still at most, 1 to 10000; left out, 1000
     * @param agents unix sockets of QEMU guest agents whose guests are frozen meanwhile
     * @param freezeCommands for the shell, run before
     * @param thawCommands one for each of those, run after
     * @param freezeMillis how long freezing may take, and thawing, 1 to 600000; left out, 10000
     */
    public record Request(
            @Nullable String snapshot,
            @InVolume @Nullable List<String> disks,
            @InVolume @Nullable String group,
            @Nullable Boolean leaveOut,
            @Nullable Boolean ungrouped,
            @Nullable Long deadlineMillis,
            @Local @Nullable List<String> agents,
            @Local @Nullable List<String> freezeCommands,
            @Local @Nullable List<String> thawCommands,
            @Nullable Long freezeMillis) {}

    /**
     * What was made.
     *
     * @param name of each snapshot
     * @param group its UUID; null if it is not recorded that they belong together
     * @param frozen whether all file systems of the guests stood still: else they are what is found
     *     after a power failure
     * @param snapshots in the order of the disks
     */
    public record Result(
            String name, @Nullable String group, boolean frozen, List<SnapshotView> snapshots) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        String snapshot = request.snapshot();
        String group = request.group();
        String what = group != null ? group : String.join(",", orNone(request.disks()));
        return snapshot == null ? what : what + '@' + snapshot;
    }

    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        resolve(request, disks(request, volume));
    }

    private static List<String> disks(Request request, ManagedVolume volume) {
        List<String> disks = request.disks();
        String group = request.group();
        if ((disks == null) == (group == null)) {
            throw new BlockException(
                    BlockError.EINVAL, "snapshots of a group: expected=either disks or a group");
        }
        return group != null ? volume.disks().sets().get(group).disks() : orNone(disks);
    }

    private static GroupRequest resolve(Request request, List<String> disks) {
        String snapshot = request.snapshot();
        return new GroupRequest(
                disks,
                snapshot == null ? SnapshotCreate.nameAt(Instant.now()) : snapshot,
                !isTrue(request.ungrouped()),
                nanos("deadlineMillis", request.deadlineMillis(), GroupRequest.LIMIT_NANOS),
                freezeOptions(request));
    }

    private static FreezeOptions freezeOptions(Request request) {
        long limit =
                nanos(
                        "freezeMillis",
                        request.freezeMillis(),
                        TimeUnit.MILLISECONDS.toNanos(FREEZE_MILLIS));
        List<Path> agents = orNone(request.agents()).stream().map(NameText::path).toList();
        for (Path agent : agents) {
            if (!agent.isAbsolute()) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "socket of a guest agent: path=" + agent + ", expected=an absolute one");
            }
        }
        return new FreezeOptions(
                agents, orNone(request.freezeCommands()), orNone(request.thawCommands()), limit);
    }

    private static long nanos(String name, @Nullable Long millis, long missing) {
        if (millis == null) {
            return missing;
        }
        if (millis < 1 || millis > FREEZE_MILLIS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "wrong argument: name="
                            + name
                            + ", expected=1.."
                            + FREEZE_MILLIS_MAX
                            + ", actual="
                            + millis);
        }
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private static boolean isTrue(@Nullable Boolean flag) {
        return flag != null && flag;
    }

    private static List<String> orNone(@Nullable List<String> some) {
        return some == null ? List.of() : some;
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        SnapshotJob events = new SnapshotJob(control);
        List<String> disks = disks(request, volume);
        if (isTrue(request.leaveOut())) {
            disks = volume.disks().groups().able(disks, events);
            if (disks.isEmpty()) {
                return new Result("", null, false, List.of());
            }
        }
        GroupRequest wanted = resolve(request, disks);
        List<SnapshotView> made = volume.disks().groups().create(wanted, events);
        volume.disks().refreshNames();
        SnapshotView first = made.get(0);
        return new Result(wanted.name(), first.group(), first.frozen(), made);
    }
}
