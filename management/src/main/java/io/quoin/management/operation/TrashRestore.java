package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code trash.restore}.
 *
 * <p>Threading: immutable.
 */
public final class TrashRestore implements Operation<TrashRestore.Request, TrashRestore.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "trash.restore",
                    Kind.CHANGE,
                    "POST /v1/trash/{id}/restore",
                    "Make a disk in the trash a disk again.",
                    Request.class,
                    Result.class);

    /**
     * Which one.
     *
     * @param id its id, or its name if it is the only one of that name
     * @param as its new name; left out: the one that it had
     */
    public record Request(@InVolume String id, @Nullable String as) {}

    /**
     * What was restored.
     *
     * @param name of the disk
     */
    public record Result(String name) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        String name = volume.disks().trash().restore(request.id(), request.as());
        volume.disks().refreshNames();
        return new Result(name);
    }
}
