package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quoin.management.backup.DiffImport;
import io.quoin.management.volume.TrashView;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.rm}.
 *
 * <p>Threading: immutable.
 */
public final class DiskRm implements Operation<DiskRm.Request, DiskRm.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "disk.rm",
                    Kind.CHANGE,
                    "DELETE /v1/disks/{name}",
                    "Remove a disk and everything on it: into the trash, or at once.",
                    Request.class,
                    Result.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     * @param now whether it is gone at once; left out: no
     * @param force whether one whose image cannot be read is removed, which then is gone at once:
     *     in the trash it would keep others from being removed; left out: no
     */
    public record Request(@InVolume String name, @Nullable Boolean now, @Nullable Boolean force) {}

    /**
     * What was removed.
     *
     * @param name of the disk
     * @param removed true
     * @param trashed what is in the trash; left out: it is gone
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Result(String name, boolean removed, @Nullable TrashView trashed) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        TrashView trashed = null;
        boolean isForced = Boolean.TRUE.equals(request.force());
        if (Boolean.TRUE.equals(request.now())
                || !volume.disks().trash().isKeeping()
                || (isForced && isUnreadable(request.name(), volume))) {
            volume.disks().remove(request.name());
        } else {
            volume.disks().trash().empty(true);
            trashed = volume.disks().trash().put(request.name());
            volume.disks().refreshNames();
        }
        DiffImport.forget(volume.folder().imports(), request.name());
        return new Result(request.name(), true, trashed);
    }

    private static boolean isUnreadable(String name, ManagedVolume volume) {
        return volume.disks().list().stream()
                .anyMatch(disk -> disk.name().equals(name) && disk.problem() != null);
    }
}
