package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import org.jspecify.annotations.Nullable;

/**
 * A backup as it lies in a repository.
 *
 * <p>Threading: immutable.
 *
 * @param disk the folder that it is in
 * @param name of its files
 * @param manifest null if that cannot be read
 * @param manifestSha256 of the content of the file of the manifest
 * @param damage what is wrong with it, as far as a look tells; null: nothing
 * @param isProtected whether it stays, whatever the retention
 */
public record Backup(
        String disk,
        String name,
        @Nullable Manifest manifest,
        String manifestSha256,
        @Nullable String damage,
        boolean isProtected) {
    /** The manifest of one that is whole. */
    Manifest requireManifest() {
        Manifest present = manifest;
        if (present == null || damage != null) {
            throw new BlockException(
                    BlockError.EIO,
                    "backup is damaged: disk=" + disk + ", name=" + name + ", reason=" + damage);
        }
        return present;
    }
}
