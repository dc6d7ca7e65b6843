package io.quoin.management.operation;

import io.quoin.backup.Backup;
import io.quoin.backup.Manifest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A backup as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param disk its disk
 * @param name of the backup
 * @param kind full or incremental; null if its manifest cannot be read
 * @param createdAt when, by ISO 8601
 * @param sizeBytes of the disk
 * @param fileBytes of its file
 * @param file its name in the folder of the disk
 * @param parent the backup that it stands on; null: none
 * @param whyFull why it is a full one, where an incremental one was asked for
 * @param group UUID of the backups of several disks that are of one moment; null: it is alone
 * @param groupDisks the disks of those; null: it is alone
 * @param isProtected whether it stays, whatever the retention
 * @param damage what is wrong with it, as far as a look tells; null: nothing
 */
public record BackupView(
        String disk,
        String name,
        @Nullable String kind,
        @Nullable String createdAt,
        long sizeBytes,
        long fileBytes,
        @Nullable String file,
        @Nullable String parent,
        @Nullable String whyFull,
        @Nullable String group,
        @Nullable List<String> groupDisks,
        boolean isProtected,
        @Nullable String damage) {
    /** One of a repository. */
    public static BackupView of(Backup backup) {
        Manifest manifest = backup.manifest();
        return manifest == null
                ? new BackupView(
                        backup.disk(),
                        backup.name(),
                        null,
                        null,
                        0,
                        0,
                        null,
                        null,
                        null,
                        null,
                        null,
                        backup.isProtected(),
                        backup.damage())
                : of(manifest, backup.isProtected(), backup.damage());
    }

    static BackupView of(Manifest manifest, boolean isProtected, @Nullable String damage) {
        Manifest.Parent parent = manifest.parent();
        Manifest.Group group = manifest.group();
        return new BackupView(
                manifest.disk(),
                manifest.name(),
                manifest.kind().name(),
                manifest.createdAt(),
                manifest.sizeBytes(),
                manifest.file().sizeBytes(),
                manifest.file().name(),
                parent == null ? null : parent.name(),
                manifest.whyFull(),
                group == null ? null : group.uuid(),
                group == null ? null : group.disks(),
                isProtected,
                damage);
    }
}
