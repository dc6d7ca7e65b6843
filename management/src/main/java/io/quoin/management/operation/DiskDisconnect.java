package io.quoin.management.operation;

/**
 * {@code disk.disconnect}.
 *
 * <p>Threading: immutable.
 */
public final class DiskDisconnect
        implements Operation<DiskDisconnect.Request, DiskDisconnect.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.disconnect",
                    Kind.CHANGE,
                    "POST /v1/disks/{name}/disconnect",
                    "Close the connections of a disk's clients, so that they connect again.",
                    Request.class,
                    Result.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(@InVolume String name) {}

    /**
     * What was closed.
     *
     * @param name of the disk, as VOLUME/NAME where it is not one of the default volume
     * @param connections how many there were
     */
    public record Result(String name, int connections) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        volume.disks().requirePresent(request.name());
        String export = volume.export(request.name());
        return new Result(export, volume.attachments().disconnect(export));
    }
}
