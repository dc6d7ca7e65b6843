package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.volume.DiskView;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.clone}.
 *
 * <p>Threading: immutable.
 */
public final class DiskClone implements Operation<DiskClone.Request, DiskClone.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.clone",
                    Kind.CHANGE,
                    "POST /v1/disks/{name}/clones",
                    "Make disks that stand on another and read as it does; it is read-only then.",
                    Request.class,
                    Result.class);

    /** What one request may ask for, so that it is answered in time. */
    public static final int CLONES_MAX = 1000;

    /**
     * The disks.
     *
     * @param name of the disk to stand on
     * @param clones the names of the new disks, 1 to 1000
     * @param sizeBytes of each new disk; left out, as large as the other
     */
    public record Request(
            @InVolume String name, @InVolume List<String> clones, @Nullable Long sizeBytes) {}

    /**
     * What was made.
     *
     * @param disks the new disks, without details
     */
    public record Result(List<DiskView> disks) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        List<String> names = request.clones();
        if (names.isEmpty() || names.size() > CLONES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "clones: count=" + names.size() + ", expected=1 to " + CLONES_MAX);
        }
        Long sizeBytes = request.sizeBytes();
        if (sizeBytes != null && sizeBytes <= 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "size of clones: value=" + sizeBytes + ", expected=more than 0");
        }
        return new Result(
                volume.disks().clone(request.name(), names, sizeBytes == null ? 0 : sizeBytes));
    }
}
