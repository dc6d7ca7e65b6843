package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.DiskVolume;
import io.quoin.qcow2.info.SpaceUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.du}: a job.
 *
 * <p>Threading: immutable.
 */
public final class DiskDu implements JobOperation<DiskDu.Request, DiskDu.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.du",
                    Kind.JOB,
                    "POST /v1/disks-du",
                    "Count what disks and snapshots take alone, and what they share.",
                    Request.class,
                    JobView.class);

    /** Progress of a disk is told in so many steps. */
    private static final long STEPS = 1000;

    /**
     * Which disks.
     *
     * @param names of the disks; left out or empty, all
     */
    public record Request(@InVolume @Nullable List<String> names) {}

    /**
     * What was counted.
     *
     * @param disks sorted as they were named, or by name
     */
    public record Result(List<Usage> disks) {}

    /**
     * What a disk takes, or a snapshot of one.
     *
     * @param name of the disk or snapshot
     * @param allocatedBytes what the image file of a disk takes, with all that is in it; none of a
     *     snapshot
     * @param exclusiveBytes of the image, what nothing else in it uses: it becomes free if a
     *     snapshot is removed
     * @param sharedBytes of the image, what others of the disk and its snapshots use too
     * @param children how many disks stand on it; of a disk, on its snapshots too
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Usage(
            String name,
            @Nullable Long allocatedBytes,
            long exclusiveBytes,
            long sharedBytes,
            int children) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        List<String> names = request.names();
        return names == null || names.isEmpty() ? "all" : String.join(", ", names);
    }

    /** Parts of disks of unlike size. */
    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        List<String> given = request.names();
        List<String> wanted = given == null ? List.of() : given;
        boolean all = wanted.isEmpty();
        List<String> names =
                all ? volume.disks().list().stream().map(DiskView::name).toList() : wanted;
        List<Usage> usages = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            try {
                usages.addAll(of(name, volume.disks(), new Told(control, i, names.size())));
            } catch (BlockException e) {
                if (!all || control.isEnding()) {
                    throw e;
                }
                if (e.error() != BlockError.ENOENT) { // else it has been removed meanwhile
                    control.message("disk left out: name=" + name + ", reason=" + e.getMessage());
                }
            }
            control.progress((i + 1) * STEPS, names.size() * STEPS);
        }
        return new Result(usages);
    }

    private static List<Usage> of(String name, DiskVolume disks, CheckEvents events) {
        Optional<SpaceUsage> found = disks.usage().of(name, events);
        long allocatedBytes = disks.info(name).allocatedBytes();
        List<Usage> usages = new ArrayList<>();
        if (found.isEmpty()) {
            usages.add(new Usage(name, allocatedBytes, allocatedBytes, 0, children(name, disks)));
            return usages;
        }
        SpaceUsage.Root disk = found.get().disk();
        usages.add(
                new Usage(
                        name,
                        allocatedBytes,
                        disk.exclusiveBytes(),
                        disk.sharedBytes(),
                        children(name, disks)));
        for (SpaceUsage.Root snapshot : found.get().snapshots()) {
            String full = name + '@' + snapshot.name();
            usages.add(
                    new Usage(
                            full,
                            null,
                            snapshot.exclusiveBytes(),
                            snapshot.sharedBytes(),
                            snapshotChildren(full, disks)));
        }
        return usages;
    }

    private static int children(String name, DiskVolume disks) {
        return disks.children(name).size();
    }

    /** None of one that is gone by now, or that QEMU gave a name which is none here. */
    private static int snapshotChildren(String name, DiskVolume disks) {
        try {
            return children(name, disks);
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOENT || e.error() == BlockError.EINVAL) {
                return 0;
            }
            throw e;
        }
    }

    /** How far the count of one of several disks is. */
    private record Told(JobControl control, int index, int disks) implements CheckEvents {
        @Override
        public boolean progress(long done, long total) {
            long steps = total == 0 ? 0 : done * STEPS / total;
            control.progress(index * STEPS + steps, disks * STEPS);
            return !control.isEnding();
        }
    }
}
