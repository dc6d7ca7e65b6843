package io.quoin.management.operation;

/**
 * {@code disk.rm}.
 *
 * <p>Threading: immutable.
 */
public final class DiskRm implements Operation<DiskRm.Request, DiskRm.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.rm",
                    Kind.CHANGE,
                    "DELETE /v1/disks/{name}",
                    "Remove a disk and everything on it.",
                    Request.class,
                    Result.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(String name) {}

    /**
     * What was removed.
     *
     * @param name of the disk
     * @param removed true
     */
    public record Result(String name, boolean removed) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        volume.disks().remove(request.name());
        return new Result(request.name(), true);
    }
}
