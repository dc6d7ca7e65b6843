package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads backups, and finds each byte that is not as it was written: manifests by their own hash,
 * files by that in the manifest, and parents by that of their manifest in the one above.
 *
 * <p>Threading: confined to its thread.
 */
public final class Verification {
    private final BackupEvents events;
    private final List<String> faults = new ArrayList<>();
    private long doneBytes;
    private long totalBytes;

    Verification(BackupEvents events) {
        this.events = events;
    }

    /**
     * What was found.
     *
     * @param backups how many were looked at
     * @param bytes read of their files
     * @param faults a line each; none: all is as it was written
     */
    public record Result(int backups, long bytes, List<String> faults) {}

    Result run(List<DiskFolder.Chosen> chosen) {
        int count = 0;
        for (DiskFolder.Chosen each : chosen) {
            for (Backup backup : each.backups()) {
                Manifest manifest = backup.manifest();
                totalBytes += manifest == null ? 0 : manifest.file().sizeBytes();
            }
        }
        for (DiskFolder.Chosen each : chosen) {
            Chains chains = new Chains(each.folder().backups());
            for (Backup backup : each.backups()) {
                count++;
                String fault = fault(each.folder(), backup, chains);
                // One that was pruned meanwhile is no fault.
                if (fault != null && each.folder().has(each.folder().manifest(backup.name()))) {
                    faults.add(fault);
                    events.message(fault);
                }
            }
        }
        return new Result(count, doneBytes, List.copyOf(faults));
    }

    private @Nullable String fault(DiskFolder folder, Backup backup, Chains chains) {
        Manifest manifest = backup.manifest();
        if (manifest == null || backup.damage() != null) {
            return "backup is damaged: disk="
                    + backup.disk()
                    + ", name="
                    + backup.name()
                    + ", reason="
                    + backup.damage();
        }
        try {
            String wrong = wrongContent(folder.data(backup.name()), manifest);
            if (wrong != null) {
                return wrong;
            }
            chains.of(backup);
            return null;
        } catch (BlockException e) {
            if (e.error() == BlockError.ESHUTDOWN) {
                throw e;
            }
            return e.getMessage();
        }
    }

    private @Nullable String wrongContent(Path file, Manifest manifest) {
        String actual =
                Sha256.of(
                        file,
                        bytes -> {
                            doneBytes += bytes;
                            events.progress(doneBytes, totalBytes);
                            events.checkpoint();
                        });
        return actual.equals(manifest.file().sha256())
                ? null
                : "file is damaged: file="
                        + NameText.of(file)
                        + ", expected sha256="
                        + manifest.file().sha256()
                        + ", actual="
                        + actual;
    }
}
