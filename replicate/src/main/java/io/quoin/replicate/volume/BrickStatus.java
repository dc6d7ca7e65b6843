package io.quoin.replicate.volume;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickSpace;
import org.jspecify.annotations.Nullable;

/**
 * How a brick of a replica set is at present.
 *
 * <p>Threading: immutable.
 *
 * @param index from 0
 * @param address what it is reached by, for people
 * @param identity who it is; null while it cannot be reached
 * @param sinceMillis since when it can be reached, or cannot any more: milliseconds of the epoch; 0
 *     if it never could
 * @param reason why it cannot be reached; null while it can
 * @param space of its file system; null where it has not told
 */
public record BrickStatus(
        int index,
        String address,
        @Nullable BrickIdentity identity,
        long sinceMillis,
        @Nullable String reason,
        @Nullable BrickSpace space) {
    BrickStatus space(@Nullable BrickSpace newSpace) {
        return new BrickStatus(index, address, identity, sinceMillis, reason, newSpace);
    }
}
