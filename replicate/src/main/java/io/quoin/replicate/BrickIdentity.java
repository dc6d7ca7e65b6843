package io.quoin.replicate;

import java.util.UUID;

/**
 * Which brick this is.
 *
 * @param index its number among the voters
 * @param startCount how often it has been started
 * @param cacheEpoch how often unflushed writes of it may have been lost
 * @param startId random, of this start alone; 0: the brick does not tell
 */
public record BrickIdentity(
        UUID volume,
        UUID brick,
        int index,
        Layout layout,
        long startCount,
        long cacheEpoch,
        long startId) {}
