package io.quoin.management.operation;

import io.quoin.management.volume.TrashView;
import java.util.List;

/**
 * {@code trash.ls}.
 *
 * <p>Threading: immutable.
 */
public final class TrashLs implements Operation<TrashLs.Request, TrashLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "trash.ls",
                    Kind.READ,
                    "GET /v1/trash",
                    "List the removed disks that are kept.",
                    Request.class,
                    Result.class);

    /** Nothing. */
    public record Request() {}

    /**
     * What is in the trash.
     *
     * @param disks by name, and then the last removed first
     */
    public record Result(List<TrashView> disks) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().trash().list());
    }
}
