package io.quoin.management.operation;

import io.quoin.management.volume.TrashView;

/**
 * {@code trash.purge}.
 *
 * <p>Threading: immutable.
 */
public final class TrashPurge implements Operation<TrashPurge.Request, TrashPurge.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "trash.purge",
                    Kind.CHANGE,
                    "DELETE /v1/trash/{id}",
                    "Remove a disk in the trash for good.",
                    Request.class,
                    Result.class);

    /**
     * Which one.
     *
     * @param id its id, or its name if it is the only one of that name
     */
    public record Request(@InVolume String id) {}

    /**
     * What is gone.
     *
     * @param disk as it was in the trash
     */
    public record Result(TrashView disk) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().trash().purge(request.id()));
    }
}
