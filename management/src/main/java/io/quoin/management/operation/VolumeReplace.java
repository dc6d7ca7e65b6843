package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.BrickReplacement;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.replicate.Health;
import io.quoin.replicate.volume.BrickStatus;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileHealth;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.replace}: a job. First the other bricks of the set are healed: each has to have all
 * of every file. Then the new brick takes its place, while disks are in use, and is healed wholly.
 *
 * <p>Threading: immutable.
 */
public final class VolumeReplace implements ServiceOperation<VolumeReplace.Request, JobView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "volume.replace",
                    Kind.JOB,
                    "POST /v1/volumes/{name}/replace-brick",
                    "Put a new brick in the place of one. On the control socket alone.",
                    Request.class,
                    JobView.class);

    private static final long UP_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long LOOK_MILLIS = 100;

    /**
     * Which brick.
     *
     * @param name of the volume
     * @param brick the one that is replaced, as volume info shows it
     * @param by the new one: /absolute/path or HOST:PORT; the same: it was wiped
     * @param force whether what is unwise is done all the same; left out, no
     * @param tlsCert PEM: the certificate that brick daemons are shown; left out, as now
     * @param tlsKey PEM: its key
     * @param tlsCa PEM: the CA that has signed those of the daemons; all three, or none
     * @param insecure whether daemons of other hosts may be reached without TLS; left out, no
     */
    public record Request(
            String name,
            @Local String brick,
            @Local String by,
            @Nullable Boolean force,
            @Local @Nullable String tlsCert,
            @Local @Nullable String tlsKey,
            @Local @Nullable String tlsCa,
            @Local @Nullable Boolean insecure) {
        private @Nullable WireOptions wire() {
            boolean isAsNow = tlsCert == null && tlsKey == null && tlsCa == null;
            return isAsNow && insecure == null
                    ? null
                    : WireFields.options(tlsCert, tlsKey, tlsCa, insecure);
        }
    }

    /**
     * What was done.
     *
     * @param brick that was replaced
     * @param by the new one
     * @param files of its replica set, the catalogue of names among them
     * @param healed how many of them have all bricks in sync now
     */
    public record Result(String brick, String by, long files, long healed) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public JobView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        ManagedVolume open = volumes.get(request.name());
        replacement(request, volumes); // fails now rather than in the job
        return open.shown(
                open.jobs()
                        .start(
                                TYPE.name(),
                                request.name(),
                                "bytes",
                                Requests.fieldsOf(request),
                                control -> work(request, volumes, open, control)));
    }

    private static BrickReplacement replacement(Request request, VolumeRegistry volumes) {
        return volumes.replacement(request.name(), request.brick(), request.by(), request.wire());
    }

    private static Result work(
            Request request, VolumeRegistry volumes, ManagedVolume volume, JobControl control) {
        BrickReplacement by = replacement(request, volumes);
        List<ReplicaAdmin> sets = new ArrayList<>(ReplicaSets.of(volume).values());
        int number = by.number();
        int setSize = volumes.view(request.name()).bricks().size() / sets.size();
        ReplicaAdmin set = sets.get(number / setSize);
        int index = number % setSize;
        for (ReplicaFileHealth file : new SetHeal(control).run(set)) {
            requireOthers(file, index, number - index, volumes.view(request.name()));
        }
        prepare(by, Boolean.TRUE.equals(request.force()), control);
        volumes.replaceBrick(volume, by, control::isEnding);
        control.message("new brick in place: brick=" + request.by());
        awaitUp(set, index, control);
        List<ReplicaFileHealth> ends = new SetHeal(control).run(set);
        long healed = ends.stream().filter(SetHeal::isWhole).count();
        return new Result(request.brick(), request.by(), ends.size(), healed);
    }

    /**
     * A daemon may take a minute to answer: a job that is to end does not wait for it. The same
     * replacement begins again with what it has made.
     */
    private static void prepare(BrickReplacement by, boolean isForced, JobControl control) {
        CompletableFuture<Void> prepared =
                CompletableFuture.runAsync(
                        () -> by.prepare(isForced),
                        task -> {
                            Thread thread = new Thread(task, "quoin-new-brick");
                            thread.setDaemon(true);
                            thread.start();
                        });
        JobStages.await(prepared, control);
    }

    /** Without the brick every file must be whole, and have a majority that knows it. */
    private static void requireOthers(
            ReplicaFileHealth file, int index, int first, VolumeView view) {
        for (Health.Part part : file.health().members()) {
            VolumeView.Brick brick = view.bricks().get(first + part.brick());
            boolean isThere =
                    part.role() == Health.Role.IN_SYNC
                            || (part.role() == Health.Role.VOTER && brick.isArbiter());
            if (part.brick() != index && !isThere) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "another brick is not in sync: brick="
                                + brick.address()
                                + ", file="
                                + file.fileName()
                                + ", state="
                                + part.role()
                                + "; a brick is replaced once all others of its set have every"
                                + " file");
            }
        }
    }

    private static void awaitUp(ReplicaAdmin set, int index, JobControl control) {
        long began = System.nanoTime();
        while (true) {
            BrickStatus status = Stages.await(set.bricks()).get(index);
            if (status.identity() != null) {
                return;
            }
            if (System.nanoTime() - began > UP_NANOS || control.isEnding()) {
                throw new BlockException(
                        BlockError.ENOTCONN,
                        "new brick is in place and cannot be reached yet: reason="
                                + status.reason()
                                + "; it is healed once it can");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlockException(BlockError.ESHUTDOWN, "the job is to end", e);
            }
        }
    }
}
