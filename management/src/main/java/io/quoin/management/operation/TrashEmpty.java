package io.quoin.management.operation;

import io.quoin.management.volume.TrashView;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code trash.empty}.
 *
 * <p>Threading: immutable.
 */
public final class TrashEmpty implements Operation<TrashEmpty.Request, TrashEmpty.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "trash.empty",
                    Kind.CHANGE,
                    "DELETE /v1/trash",
                    "Remove what is in the trash for good: all, or what has expired.",
                    Request.class,
                    Result.class);

    /**
     * How much of it.
     *
     * @param expired whether only what has expired; left out: yes
     */
    public record Request(@Nullable Boolean expired) {}

    /**
     * What is gone.
     *
     * @param disks as they were in the trash; the log says why others are not among them
     */
    public record Result(List<TrashView> disks) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().trash().empty(!Boolean.FALSE.equals(request.expired())));
    }
}
