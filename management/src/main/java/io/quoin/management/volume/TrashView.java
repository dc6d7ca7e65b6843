package io.quoin.management.volume;

import io.quoin.snapshot.TrashedDisk;

/**
 * A removed disk that is kept, as commands show it.
 *
 * <p>Threading: immutable.
 *
 * @param id of this one alone
 * @param name what it was called
 * @param removedAt when, by ISO 8601
 * @param expiresAt when it may be gone, by ISO 8601
 * @param sizeBytes what a guest saw
 * @param allocatedBytes the space that it takes
 */
public record TrashView(
        String id,
        String name,
        String removedAt,
        String expiresAt,
        long sizeBytes,
        long allocatedBytes) {
    static TrashView of(TrashedDisk disk) {
        return new TrashView(
                disk.id(),
                disk.disk(),
                disk.removedAt().toString(),
                disk.expiresAt().toString(),
                disk.sizeBytes(),
                disk.allocatedBytes());
    }
}
