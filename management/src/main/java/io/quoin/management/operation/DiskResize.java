package io.quoin.management.operation;

import io.quoin.management.volume.DiskView;

/**
 * {@code disk.resize}.
 *
 * <p>Threading: immutable.
 */
public final class DiskResize implements Operation<DiskResize.Request, DiskView> {
    /** As clients see it. */
    public static final OperationType<Request, DiskView> TYPE =
            OperationType.of(
                    "disk.resize",
                    Kind.CHANGE,
                    "POST /v1/disks/{name}/resize",
                    "Grow a disk, attached or not.",
                    Request.class,
                    DiskView.class);

    /**
     * The disk and its new size.
     *
     * @param name of the disk
     * @param sizeBytes at least what it has
     */
    public record Request(@InVolume String name, long sizeBytes) {}

    @Override
    public OperationType<Request, DiskView> type() {
        return TYPE;
    }

    @Override
    public DiskView run(Request request, ManagedVolume volume) {
        return volume.disks().resize(request.name(), request.sizeBytes());
    }
}
