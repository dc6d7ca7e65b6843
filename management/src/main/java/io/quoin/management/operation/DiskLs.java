package io.quoin.management.operation;

import io.quoin.management.volume.DiskView;
import java.util.List;

/**
 * {@code disk.ls}.
 *
 * <p>Threading: immutable.
 */
public final class DiskLs implements Operation<DiskLs.Request, DiskLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.ls",
                    Kind.READ,
                    "GET /v1/disks",
                    "List the disks.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The disks.
     *
     * @param disks sorted by name, without details
     */
    public record Result(List<DiskView> disks) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().list());
    }
}
