package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapshot.diff}.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotDiff implements Operation<SnapshotDiff.Request, SnapshotDiff.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "snapshot.diff",
                    Kind.READ,
                    "GET /v1/disks/{name}/snapshots/{snapshot}/diff",
                    "Show what may differ since a snapshot, in another one or in the disk.",
                    Request.class,
                    Result.class);

    /** Extents in one answer, unless less are asked for. */
    public static final int EXTENTS_MAX = 10_000;

    /**
     * What is compared.
     *
     * @param name of the disk
     * @param snapshot the older one, by name or id
     * @param to the newer one, by name or id; left out, the disk itself, which must not be attached
     * @param start where to begin; left out, at 0
     * @param limit how many extents at most, 1 to 10000; left out, 10000
     */
    public record Request(
            @InVolume String name,
            String snapshot,
            @Nullable String to,
            @Nullable Long start,
            @Nullable Long limit) {}

    /**
     * What may differ.
     *
     * @param extents in the order of the disk; bytes in none of them are equal
     * @param next where to begin for those that follow; null: these are all
     */
    public record Result(List<DiffExtent> extents, @Nullable Long next) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        SnapshotName older = new SnapshotName(request.name(), request.snapshot());
        String to = request.to();
        String newer =
                to == null ? request.name() : new SnapshotName(request.name(), to).toString();
        long start = inRange("start", request.start(), 0, 0, Long.MAX_VALUE);
        int limit = (int) inRange("limit", request.limit(), EXTENTS_MAX, 1, EXTENTS_MAX);
        List<DiffExtent> extents = volume.disks().diffs().diff(older, newer, start, limit);
        if (extents.size() < limit) {
            return new Result(extents, null);
        }
        DiffExtent last = extents.get(limit - 1);
        return new Result(extents, last.start() + last.length());
    }

    private static long inRange(
            String name, @Nullable Long value, long missing, long least, long most) {
        if (value == null) {
            return missing;
        }
        if (value < least || value > most) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "wrong argument: name="
                            + name
                            + ", expected="
                            + least
                            + ".."
                            + most
                            + ", actual="
                            + value);
        }
        return value;
    }
}
