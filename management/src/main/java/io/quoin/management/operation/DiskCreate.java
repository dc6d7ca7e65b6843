package io.quoin.management.operation;

import io.quoin.management.volume.DiskView;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.create}.
 *
 * <p>Threading: immutable.
 */
public final class DiskCreate implements Operation<DiskCreate.Request, DiskView> {
    /** As clients see it. */
    public static final OperationType<Request, DiskView> TYPE =
            OperationType.of(
                    "disk.create",
                    Kind.CHANGE,
                    "POST /v1/disks",
                    "Make a disk that reads as zeros.",
                    Request.class,
                    DiskView.class);

    /**
     * The disk.
     *
     * @param name of the new disk
     * @param sizeBytes what the guest sees
     * @param options format (qcow2 or raw), and options of the image by qemu-img's names
     */
    public record Request(
            @InVolume String name, long sizeBytes, @Nullable Map<String, String> options) {}

    @Override
    public OperationType<Request, DiskView> type() {
        return TYPE;
    }

    @Override
    public DiskView run(Request request, ManagedVolume volume) {
        Map<String, String> options = request.options();
        return volume.disks()
                .create(request.name(), request.sizeBytes(), options == null ? Map.of() : options);
    }
}
