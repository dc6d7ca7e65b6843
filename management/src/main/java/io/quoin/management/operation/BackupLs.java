package io.quoin.management.operation;

import io.quoin.backup.Repository;
import io.quoin.xlator.NameText;
import java.util.List;

/**
 * {@code backup.ls}.
 *
 * <p>Threading: immutable.
 */
public final class BackupLs implements Operation<BackupLs.Request, BackupLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "backup.ls",
                    Kind.READ,
                    "GET /v1/backups",
                    "List the backups in a folder of the service's machine.",
                    Request.class,
                    Result.class);

    /**
     * Which.
     *
     * @param repository absolute path of the folder of the backups
     */
    public record Request(@Local String repository) {}

    /**
     * What is there.
     *
     * @param backups by disk, the oldest first
     */
    public record Result(List<BackupView> backups) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        Repository repository = new Repository(NameText.path(request.repository()));
        return new Result(repository.list().stream().map(BackupView::of).toList());
    }
}
