package io.quoin.block.disk;

import java.time.Instant;

/**
 * A disk as it was at one moment.
 *
 * <p>Threading: immutable.
 *
 * @param disk its disk
 * @param name its name; {@link #fullName} is what it is opened by
 * @param createdAt when it was made
 * @param sizeBytes of the disk at that time
 */
public record Snapshot(String disk, String name, Instant createdAt, long sizeBytes) {
    /** {@code DISK@SNAPSHOT}, for {@link Volume#open(String)}. */
    public String fullName() {
        return disk + '@' + name;
    }
}
