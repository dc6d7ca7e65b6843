package io.quoin.snapshot;

import io.quoin.xlator.FileInfo;
import io.quoin.xlator.TrashName;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A disk that was removed and is kept.
 *
 * <p>Threading: immutable.
 *
 * @param id 8 hexadecimal digits, of this one alone
 * @param disk what it was called
 * @param removedAt when, to the second
 * @param expiresAt when it may be gone
 * @param sizeBytes what a guest saw; 0 where the image cannot be read
 * @param allocatedBytes the space that it takes
 * @param file the name of its file
 */
public record TrashedDisk(
        String id,
        String disk,
        Instant removedAt,
        Instant expiresAt,
        long sizeBytes,
        long allocatedBytes,
        TrashName file) {

    /** What a file below is, if it is a disk in the trash. */
    static Optional<TrashedDisk> of(FileInfo info, Duration keptFor) {
        return TrashName.parse(info.fileName())
                .flatMap(
                        name ->
                                diskOf(name)
                                        .map(
                                                disk ->
                                                        new TrashedDisk(
                                                                name.id(),
                                                                disk,
                                                                removedAt(name),
                                                                removedAt(name).plus(keptFor),
                                                                info.sizeBytes(),
                                                                info.allocatedBytes(),
                                                                name)));
    }

    private static Instant removedAt(TrashName name) {
        return Instant.ofEpochSecond(name.removedSeconds());
    }

    private static Optional<String> diskOf(TrashName name) {
        return format(name).flatMap(format -> format.diskOf(name.fileName()));
    }

    private static Optional<DiskFormat> format(TrashName name) {
        for (DiskFormat format : DiskFormat.values()) {
            if (format.diskOf(name.fileName()).isPresent()) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }

    /** Of its image. */
    DiskFormat format() {
        return format(file).orElseThrow();
    }

    /** Whether it may be gone by {@code now}. */
    public boolean isExpired(Instant now) {
        return !now.isBefore(expiresAt);
    }
}
