package io.quoin.qcow2.layout;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The internal snapshots of an image.
 *
 * <p>Threading: immutable.
 *
 * @param entries in the order of the table
 * @param sizeBytes of the table on disk
 */
public record SnapshotTable(List<SnapshotEntry> entries, int sizeBytes) {
    /** By id first, then by name, the first of that name; null: there is none. */
    public @Nullable SnapshotEntry find(String idOrName) {
        for (SnapshotEntry entry : entries) {
            if (entry.id().equals(idOrName)) {
                return entry;
            }
        }
        for (SnapshotEntry entry : entries) {
            if (entry.name().equals(idOrName)) {
                return entry;
            }
        }
        return null;
    }
}
