package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code volume.status}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeStatus
        implements ServiceOperation<VolumeStatus.Request, VolumeStatusView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeStatusView> TYPE =
            OperationType.of(
                    "volume.status",
                    Kind.READ,
                    "GET /v1/volumes/{name}/status",
                    "How the bricks of an open volume are, and the copies of its open files.",
                    Request.class,
                    VolumeStatusView.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     */
    public record Request(String name) {}

    @Override
    public OperationType<Request, VolumeStatusView> type() {
        return TYPE;
    }

    @Override
    public VolumeStatusView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        ManagedVolume open = volumes.get(request.name());
        return VolumeStatusView.of(volumes.view(request.name()), open);
    }
}
