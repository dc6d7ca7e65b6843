package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code volume.info}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeInfo implements ServiceOperation<VolumeInfo.Request, VolumeView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeView> TYPE =
            OperationType.of(
                    "volume.info",
                    Kind.READ,
                    "GET /v1/volumes/{name}",
                    "Show one volume and its bricks.",
                    Request.class,
                    VolumeView.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     */
    public record Request(String name) {}

    @Override
    public OperationType<Request, VolumeView> type() {
        return TYPE;
    }

    @Override
    public VolumeView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return volumes.view(request.name());
    }
}
