package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.VolumeFlatten;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.flatten}: a job.
 *
 * <p>Threading: immutable.
 */
public final class DiskFlatten implements JobOperation<DiskFlatten.Request, DiskFlatten.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.flatten",
                    Kind.JOB,
                    "POST /v1/disks/{name}/flatten",
                    "Make a disk independent of the one that it stands on, while guests use it.",
                    Request.class,
                    JobView.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(@InVolume String name) {}

    /**
     * What was done.
     *
     * @param name of the disk
     * @param parent the disk, or snapshot of one, that it stood on; left out: it stood on none
     * @param copiedBytes that it has got of its own
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Result(String name, @Nullable String parent, long copiedBytes) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name();
    }

    @Override
    public String unit() {
        return "bytes";
    }

    /** What has been copied is passed over. */
    @Override
    public boolean isResumable() {
        return true;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        volume.disks().requirePresent(request.name());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        VolumeFlatten.Flattened done =
                volume.disks().flattening().run(request.name(), new JobEvents(control));
        return new Result(request.name(), done.parent(), done.copiedBytes());
    }
}
