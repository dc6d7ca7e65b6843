package io.quoin.management.operation;

import io.quoin.management.volume.DiskView;

/**
 * {@code disk.info}.
 *
 * <p>Threading: immutable.
 */
public final class DiskInfo implements Operation<DiskInfo.Request, DiskView> {
    /** As clients see it. */
    public static final OperationType<Request, DiskView> TYPE =
            OperationType.of(
                    "disk.info",
                    Kind.READ,
                    "GET /v1/disks/{name}",
                    "Show one disk and its image.",
                    Request.class,
                    DiskView.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(@InVolume String name) {}

    @Override
    public OperationType<Request, DiskView> type() {
        return TYPE;
    }

    @Override
    public DiskView run(Request request, ManagedVolume volume) {
        return volume.disks().info(request.name());
    }
}
