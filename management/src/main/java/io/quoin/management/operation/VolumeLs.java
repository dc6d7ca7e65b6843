package io.quoin.management.operation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.ls}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeLs implements ServiceOperation<VolumeLs.Request, VolumeLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "volume.ls",
                    Kind.READ,
                    "GET /v1/volumes",
                    "List the volumes.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The volumes.
     *
     * @param volumes by name, the default one first
     */
    public record Result(List<VolumeView> volumes) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return new Result(volumes.list());
    }
}
