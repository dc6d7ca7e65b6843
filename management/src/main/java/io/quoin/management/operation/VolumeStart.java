package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code volume.start}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeStart implements ServiceOperation<VolumeStart.Request, VolumeView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeView> TYPE =
            OperationType.of(
                    "volume.start",
                    Kind.CHANGE,
                    "POST /v1/volumes/{name}/start",
                    "Serve the disks of a volume, now and after a restart.",
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
        return volumes.start(request.name());
    }
}
