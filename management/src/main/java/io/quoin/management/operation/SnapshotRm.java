package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.SnapshotView;
import io.quoin.management.volume.VolumeSnapshots;
import io.quoin.qcow2.info.SpaceUsage;
import io.quoin.snapshot.SnapshotName;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapshot.rm}: a job. A pause ends the walk that gives the space back, and another follows;
 * so does one in the process after a crash.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotRm implements JobOperation<SnapshotRm.Request, SnapshotRm.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapshot.rm",
                    Kind.JOB,
                    "DELETE /v1/disks/{name}/snapshots/{snapshot}",
                    "Remove a snapshot and give its space back while guests use the disk.",
                    Request.class,
                    JobView.class);

    /**
     * Which snapshot.
     *
     * @param name of the disk
     * @param snapshot its name or id
     * @param breakChain whether it is removed though backups go on from it
     * @param dryRun whether it is only told what would become free
     * @param expected the snapshot's UUID, else its id and time: where another one has the name by
     *     now, or none, that is left alone, and what is left of the space of removed ones is given
     *     back; left out: the one of that name
     */
    public record Request(
            @InVolume String name,
            String snapshot,
            @Nullable Boolean breakChain,
            @Nullable Boolean dryRun,
            @Nullable String expected) {}

    /**
     * What was removed.
     *
     * @param name of the disk
     * @param snapshot as it was given
     * @param removed false: it was only looked at
     * @param freedBytes how much less the image takes, as far as nothing was written meanwhile; if
     *     it was only looked at, how much fewer clusters it would have in use, in bytes
     * @param allocatedBytes what the image takes now
     */
    public record Result(
            String name, String snapshot, boolean removed, long freedBytes, long allocatedBytes) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name() + '@' + request.snapshot();
    }

    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    /** By the counts as they are on disk. */
    @Override
    public boolean isResumable() {
        return true;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        String snapshot = volume.disks().snapshots().info(name(request)).name();
        if (!Boolean.TRUE.equals(request.breakChain()) && !isDryRun(request)) {
            BackupSnapshots.requireFree(request.name(), snapshot);
        }
    }

    private static boolean isDryRun(Request request) {
        return Boolean.TRUE.equals(request.dryRun());
    }

    private static SnapshotName name(Request request) {
        return new SnapshotName(request.name(), request.snapshot());
    }

    /** The name may be another snapshot's when the job goes on in another process. */
    @Override
    public Request noted(Request request, ManagedVolume volume) {
        if (request.expected() != null || isDryRun(request)) {
            return request;
        }
        SnapshotView found = volume.disks().snapshots().info(name(request));
        return new Request(
                request.name(),
                request.snapshot(),
                request.breakChain(),
                request.dryRun(),
                identity(found));
    }

    private static String identity(SnapshotView snapshot) {
        String uuid = snapshot.uuid();
        return uuid == null ? snapshot.id() + ' ' + snapshot.createdAt() : uuid;
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        if (isDryRun(request)) {
            return wouldFree(request, volume, control);
        }
        VolumeSnapshots snapshots = volume.disks().snapshots();
        Optional<SnapshotView> found = find(request, snapshots);
        JobEvents events = new JobEvents(control);
        if (found.isEmpty()) {
            return result(request, snapshots.giveBack(request.name(), events));
        }
        VolumeSnapshots.Freed freed = snapshots.remove(name(request), events);
        String group = found.get().group();
        if (group != null) {
            volume.disks().groups().forgetIfEmpty(group);
        }
        volume.disks().refreshNames();
        return result(request, freed);
    }

    private static Result result(Request request, VolumeSnapshots.Freed freed) {
        return new Result(
                request.name(),
                request.snapshot(),
                true,
                freed.freedBytes(),
                freed.allocatedBytes());
    }

    /** Empty if it is gone already. */
    private static Optional<SnapshotView> find(Request request, VolumeSnapshots snapshots) {
        try {
            SnapshotView found = snapshots.info(name(request));
            String expected =
                    Objects.requireNonNullElseGet(request.expected(), () -> identity(found));
            return expected.equals(identity(found)) ? Optional.of(found) : Optional.empty();
        } catch (BlockException e) {
            boolean isGone = e.error() == BlockError.ENOENT && request.expected() != null;
            if (isGone) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Result wouldFree(Request request, ManagedVolume volume, JobControl control) {
        String snapshot = volume.disks().snapshots().info(name(request)).name();
        SpaceUsage usage =
                volume.disks()
                        .usage()
                        .of(request.name(), new JobEvents(control))
                        .orElseThrow(() -> gone(request));
        SpaceUsage.Root root =
                usage.snapshots().stream()
                        .filter(one -> snapshot.equals(one.name()))
                        .findFirst()
                        .orElseThrow(() -> gone(request));
        long allocatedBytes = volume.disks().info(request.name()).allocatedBytes();
        return new Result(
                request.name(), request.snapshot(), false, root.freedBytes(), allocatedBytes);
    }

    private static BlockException gone(Request request) {
        return new BlockException(BlockError.ENOENT, "no such snapshot: name=" + name(request));
    }
}
