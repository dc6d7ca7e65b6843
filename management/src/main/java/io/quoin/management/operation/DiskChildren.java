package io.quoin.management.operation;

import java.util.List;

/**
 * {@code disk.children}.
 *
 * <p>Threading: immutable.
 */
public final class DiskChildren implements Operation<DiskChildren.Request, DiskChildren.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.children",
                    Kind.READ,
                    "GET /v1/disks/{name}/children",
                    "The disks that stand on a disk.",
                    Request.class,
                    Result.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(@InVolume String name) {}

    /**
     * What stands on it.
     *
     * @param children names of disks, directly on it or through others, the closest first; one in
     *     the trash has {@code (in the trash)} behind its name
     */
    public record Result(List<String> children) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().children(request.name()));
    }
}
