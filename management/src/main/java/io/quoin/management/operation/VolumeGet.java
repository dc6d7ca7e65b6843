package io.quoin.management.operation;

import io.quoin.management.definition.VolumeOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.get}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeGet implements ServiceOperation<VolumeGet.Request, VolumeGet.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "volume.get",
                    Kind.READ,
                    "GET /v1/volumes/{name}/options",
                    "The options of a volume with their values.",
                    Request.class,
                    Result.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     */
    public record Request(String name) {}

    /**
     * The options.
     *
     * @param options by name
     */
    public record Result(List<VolumeOptions.Value> options) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return new Result(volumes.options(request.name()));
    }
}
