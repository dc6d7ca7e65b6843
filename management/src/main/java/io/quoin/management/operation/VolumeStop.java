package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code volume.stop}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeStop implements ServiceOperation<VolumeStop.Request, VolumeView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeView> TYPE =
            OperationType.of(
                    "volume.stop",
                    Kind.CHANGE,
                    "POST /v1/volumes/{name}/stop",
                    "Serve the disks of a volume no longer.",
                    Request.class,
                    VolumeView.class);

    /**
     * Which volume.
     *
     * @param name of the volume
     * @param force whether attached disks are taken away and jobs interrupted; left out, no
     */
    public record Request(String name, @Nullable Boolean force) {}

    @Override
    public OperationType<Request, VolumeView> type() {
        return TYPE;
    }

    @Override
    public VolumeView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return volumes.stop(request.name(), Boolean.TRUE.equals(request.force()));
    }
}
