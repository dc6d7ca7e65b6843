package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.KebabCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.served.OpenCheck;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.check}: a job.
 *
 * <p>Threading: immutable.
 */
public final class DiskCheck implements JobOperation<DiskCheck.Request, DiskCheck.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.check",
                    Kind.JOB,
                    "POST /v1/disks/{name}/check",
                    "Check the image of a disk while guests use it.",
                    Request.class,
                    JobView.class);

    private static final String LEAKS = "leaks";

    /**
     * What is checked.
     *
     * @param name of the disk
     * @param repair none or leaks
     */
    public record Request(@InVolume String name, @Nullable String repair) {}

    /**
     * What was found: the fields of qemu-img check, none where the format has no check.
     *
     * @param name of the disk
     * @param hasCheck whether the format has a check
     * @param imageEndOffset where the last cluster in use ends
     * @param countedAheadClusters reserved, in use by requests under way, or waiting to be free
     */
    @JsonNaming(KebabCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Result(
            String name,
            boolean hasCheck,
            @Nullable Long imageEndOffset,
            @Nullable Long totalClusters,
            @Nullable Long allocatedClusters,
            @Nullable Long fragmentedClusters,
            @Nullable Long compressedClusters,
            @Nullable Long checkErrors,
            @Nullable Long corruptions,
            @Nullable Long leaks,
            @Nullable Long corruptionsFixed,
            @Nullable Long leaksFixed,
            @Nullable Long countedAheadClusters) {

        static Result without(String name) {
            return new Result(
                    name, false, null, null, null, null, null, null, null, null, null, null, null);
        }

        static Result of(String name, OpenCheck check) {
            CheckResult found = check.result();
            return new Result(
                    name,
                    true,
                    found.imageEndOffset(),
                    found.totalClusters(),
                    found.allocatedClusters(),
                    found.fragmentedClusters(),
                    found.compressedClusters(),
                    found.checkErrors(),
                    found.corruptions(),
                    found.leaks(),
                    found.corruptionsFixed(),
                    found.leaksFixed(),
                    check.countedAhead());
        }
    }

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name();
    }

    /** Pieces of work of unlike size. */
    @Override
    public String unit() {
        return "steps";
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        String repair = request.repair();
        if ("all".equals(repair)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "only leaks can be repaired while a disk may be served: repair=all; stop the"
                            + " service, then: quoin image check --repair all FILE");
        }
        if (repair != null && !repair.equals("none") && !repair.equals(LEAKS)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "wrong argument: name=repair, expected=none or leaks, actual=" + repair);
        }
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        Optional<OpenCheck> found =
                volume.disks()
                        .check(
                                request.name(),
                                LEAKS.equals(request.repair()),
                                new JobEvents(control));
        return found.map(check -> Result.of(request.name(), check))
                .orElseGet(() -> Result.without(request.name()));
    }
}
