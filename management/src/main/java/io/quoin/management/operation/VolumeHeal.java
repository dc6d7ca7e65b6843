package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.replicate.Health;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileHealth;
import io.quoin.xlator.Stages;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.heal}: a job. When it is cancelled the file that is healed is healed to its end.
 *
 * <p>Threading: immutable.
 */
public final class VolumeHeal implements JobOperation<VolumeHeal.Request, VolumeHeal.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "volume.heal",
                    Kind.JOB,
                    "POST /v1/volumes/{name}/heal",
                    "Give every brick that can be reached what it lacks, of all files.",
                    Request.class,
                    JobView.class);

    private static final long LOOK_MILLIS = 200;

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
     */
    public record Result(long files, long healed) {}

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
        if (ReplicaSets.of(volume).isEmpty()) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "volume has no copies: name=" + request.name() + ", expected=one with replica");
        }
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        Copied copied = new Copied(control);
        List<ReplicaFileHealth> ends = new ArrayList<>();
        for (ReplicaAdmin set : ReplicaSets.of(volume).values()) {
            ends.addAll(await(set.healFull(copied::tell).toCompletableFuture(), control));
        }
        long healed = ends.stream().filter(VolumeHeal::isWhole).count();
        return new Result(ends.size(), healed);
    }

    private static boolean isWhole(ReplicaFileHealth file) {
        Health health = file.health();
        return health.config() != null
                && health.config().isr().size() == health.members().size()
                && health.members().stream().allMatch(part -> part.leftBytes() == 0);
    }

    private static List<ReplicaFileHealth> await(
            CompletableFuture<List<ReplicaFileHealth>> healing, JobControl control) {
        while (!control.isEnding()) {
            try {
                return healing.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException expected) {
                // looks again whether the job is to end
            } catch (ExecutionException e) {
                throw Stages.asBlockException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw new BlockException(BlockError.ESHUTDOWN, "heal is not waited for any longer");
    }

    /** Counts what is copied, by what each file lacked when it was seen first. */
    private static final class Copied {
        private final JobControl control;
        private final Map<UUID, Long> most = new HashMap<>();
        private final Map<UUID, Long> left = new HashMap<>();

        Copied(JobControl control) {
            this.control = control;
        }

        synchronized void tell(ReplicaFileHealth file) {
            long now = file.health().members().stream().mapToLong(Health.Part::leftBytes).sum();
            left.put(file.file(), now);
            most.merge(file.file(), now, Math::max);
            long total = sum(most);
            control.progress(total - sum(left), total);
        }

        private static long sum(Map<UUID, Long> bytes) {
            return bytes.values().stream().mapToLong(Long::longValue).sum();
        }
    }
}
