package io.quoin.management.operation;

import io.quoin.backup.Backup;
import io.quoin.backup.Repository;
import io.quoin.xlator.NameText;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.protect}.
 *
 * <p>Threading: immutable.
 */
public final class BackupProtect implements Operation<BackupProtect.Request, BackupView> {
    /** As clients see it. */
    public static final OperationType<Request, BackupView> TYPE =
            OperationType.of(
                    "backup.protect",
                    Kind.CHANGE,
                    "POST /v1/backups/protect",
                    "Have a backup stay, whatever the retention, or not any more.",
                    Request.class,
                    BackupView.class);

    /**
     * Which backup.
     *
     * @param repository absolute path of the folder of the backups
     * @param backup its name
     * @param disk whose it is; left out, of the only disk with such a backup
     * @param off whether it does not stay any more
     */
    public record Request(
            @Local String repository,
            String backup,
            @Nullable String disk,
            @Nullable Boolean off) {}

    @Override
    public OperationType<Request, BackupView> type() {
        return TYPE;
    }

    @Override
    public BackupView run(Request request, ManagedVolume volume) {
        Repository repository = new Repository(NameText.path(request.repository()));
        Backup backup = repository.find(request.disk(), request.backup());
        repository.protect(backup, !Boolean.TRUE.equals(request.off()));
        return BackupView.of(repository.find(request.disk(), request.backup()));
    }
}
