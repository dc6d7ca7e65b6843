package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.replicate.ScrubProgress;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileScrub;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Stages;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.scrub}: a job. One of a volume at a time. One that a service did not end is begun
 * again by the next.
 *
 * <p>Threading: immutable.
 */
public final class VolumeScrub implements JobOperation<VolumeScrub.Request, VolumeScrub.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "volume.scrub",
                    Kind.JOB,
                    "POST /v1/volumes/{name}/scrub",
                    "Verify every brick's copies against their checksums, and repair them.",
                    Request.class,
                    JobView.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     */
    public record Request(String name) {}

    /**
     * What was found.
     *
     * @param files that were looked at, catalogues of names among them
     * @param bytes of them, as far as they were verified on every brick in sync
     * @param corrupt blocks of 4 KiB, on all bricks together
     * @param repaired of them, from another brick
     * @param unrepaired the others: corrupt still
     * @param unfinished files that were not looked at to their end
     */
    public record Result(
            long files,
            long bytes,
            long corrupt,
            long repaired,
            long unrepaired,
            long unfinished) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public JobView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return run(request, volumes.get(request.name()));
    }

    @Override
    public String subject(Request request) {
        return request.name();
    }

    @Override
    public String unit() {
        return "bytes";
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public boolean isResumable() {
        return true;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        ReplicaSets.require(request.name(), volume);
        running(volume)
                .ifPresent(
                        job -> {
                            throw new BlockException(
                                    BlockError.EBUSY,
                                    "volume is being scrubbed: name="
                                            + request.name()
                                            + ", job="
                                            + job.id());
                        });
    }

    /** The job that scrubs a volume. */
    static Optional<JobView> running(ManagedVolume volume) {
        return volume.jobs().list().stream()
                .filter(job -> job.kind().equals(TYPE.name()) && !job.state().hasEnded())
                .findFirst()
                .map(volume::shown);
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        String startedAt = Instant.now().toString();
        Tally tally = new Tally(control);
        try {
            scrub(volume, tally, control);
        } catch (BlockException e) {
            record(volume, startedAt, e.getMessage(), tally.result());
            throw e;
        }
        record(volume, startedAt, null, tally.result());
        return tally.result();
    }

    private static void scrub(ManagedVolume volume, Tally tally, JobControl control) {
        Map<String, ReplicaAdmin> sets = ReplicaSets.of(volume);
        for (String set : sets.keySet()) {
            for (FileInfo file : Stages.await(volume.disks().graph().node(set).list())) {
                tally.expect(set, file.fileName(), file.sizeBytes());
            }
        }
        sets.forEach(
                (set, admin) ->
                        JobStages.await(
                                admin.scrub(told -> tally.tell(set, told), control::isEnding),
                                control));
    }

    private static void record(
            ManagedVolume volume, String startedAt, @Nullable String failure, Result found) {
        new ScrubRecord(startedAt, Instant.now().toString(), failure, found).write(volume.folder());
    }

    /** What was found so far, by set and file. */
    private static final class Tally {
        private final JobControl control;
        private final Map<String, Long> sizes = new HashMap<>();
        private final Map<String, ScrubProgress> looks = new HashMap<>();

        Tally(JobControl control) {
            this.control = control;
        }

        synchronized void expect(String set, String fileName, long sizeBytes) {
            sizes.put(set + "/" + fileName, sizeBytes);
        }

        synchronized void tell(String set, ReplicaFileScrub told) {
            String key = set + "/" + told.fileName();
            sizes.put(key, told.progress().totalBytes());
            looks.put(key, told.progress());
            control.progress(
                    looks.values().stream().mapToLong(ScrubProgress::doneBytes).sum(),
                    sizes.values().stream().mapToLong(Long::longValue).sum());
        }

        synchronized Result result() {
            long bytes = 0;
            long corrupt = 0;
            long repaired = 0;
            long unfinished = 0;
            for (ScrubProgress look : looks.values()) {
                bytes += look.doneBytes();
                corrupt += look.corruptBlocks();
                repaired += look.repairedBlocks();
                unfinished += look.doneBytes() < look.totalBytes() ? 1 : 0;
            }
            return new Result(
                    looks.size(), bytes, corrupt, repaired, corrupt - repaired, unfinished);
        }
    }
}
