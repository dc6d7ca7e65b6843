package io.quoin.xlator;

/**
 * The space of the storage that the files of an xlator lie on, in bytes (statvfs(3)).
 *
 * <p>Threading: immutable.
 *
 * @param sizeBytes all there is
 * @param availableBytes what may still be written
 */
public record StorageSpace(long sizeBytes, long availableBytes) {
    /** Of two storages that both hold a copy of everything. */
    public StorageSpace and(StorageSpace other) {
        return new StorageSpace(
                Math.min(sizeBytes, other.sizeBytes),
                Math.min(availableBytes, other.availableBytes));
    }
}
