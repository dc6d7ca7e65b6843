package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.replicate.volume.BrickStatus;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileHealth;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.heal}: a job. When it is cancelled the file that is healed is healed to its end.
 *
 * <p>Threading: immutable.
 */
public final class VolumeHeal implements JobOperation<VolumeHeal.Request, VolumeHeal.Result> {
    /** One that was just started is tried again within five seconds. */
    private static final Duration REACHED_IN = Duration.ofSeconds(10);

    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "volume.heal",
                    Kind.JOB,
                    "POST /v1/volumes/{name}/heal",
                    "Give every brick that can be reached what it lacks, of all files.",
                    Request.class,
                    JobView.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     */
    public record Request(String name) {}

    /**
     * What was done.
     *
     * @param files how many there are, catalogues of names among them
     * @param healed how many of them have all bricks in sync now
     * @param unreachable the bricks that could not be reached in time, and were left out
     */
    public record Result(long files, long healed, List<Unreachable> unreachable) {}

    /**
     * A brick that was left out.
     *
     * @param brick as volume info shows it
     * @param reason why it cannot be reached
     */
    public record Unreachable(String brick, String reason) {}

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

    /** What is healed is passed over. */
    @Override
    public boolean isResumable() {
        return true;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        ReplicaSets.require(request.name(), volume);
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        SetHeal heal = new SetHeal(control);
        List<ReplicaFileHealth> ends = new ArrayList<>();
        List<Unreachable> unreachable = new ArrayList<>();
        for (ReplicaAdmin set : ReplicaSets.of(volume).values()) {
            for (BrickStatus brick : JobStages.await(set.awaitBricks(REACHED_IN), control)) {
                if (brick.identity() == null) {
                    unreachable.add(
                            new Unreachable(place(brick, volume), String.valueOf(brick.reason())));
                }
            }
            ends.addAll(heal.run(set));
        }
        long healed = ends.stream().filter(SetHeal::isWhole).count();
        return new Result(ends.size(), healed, unreachable);
    }

    /** Of a folder the node below tells which. */
    private static String place(BrickStatus brick, ManagedVolume volume) {
        return volume.disks().graph().volfile().volumes().stream()
                .filter(node -> node.name().equals(brick.address()))
                .map(node -> node.options().getOrDefault("directory", brick.address()))
                .findFirst()
                .orElse(brick.address());
    }
}
