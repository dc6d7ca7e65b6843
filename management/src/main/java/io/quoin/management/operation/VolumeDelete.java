package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code volume.delete}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeDelete implements ServiceOperation<VolumeDelete.Request, VolumeView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeView> TYPE =
            OperationType.of(
                    "volume.delete",
                    Kind.CHANGE,
                    "DELETE /v1/volumes/{name}",
                    "Take a volume away that is not started; its bricks keep what they have.",
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
        return volumes.delete(request.name());
    }
}
