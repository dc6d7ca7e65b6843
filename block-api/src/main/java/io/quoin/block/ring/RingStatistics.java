package io.quoin.block.ring;

/**
 * What a {@link DiskRing} has done since it was made.
 *
 * <p>Threading: immutable.
 *
 * @param published requests accepted
 * @param batches times that the owner found requests in the ring; {@code published / batches} is
 *     the mean batch
 * @param coalesced writes that were carried by another write's device request
 * @param flushesGrouped flushes that were answered by another flush's device request
 * @param refused times that there was no room
 * @param depthMax the most requests that were accepted and not yet answered when a batch was taken
 */
public record RingStatistics(
        long published,
        long batches,
        long coalesced,
        long flushesGrouped,
        long refused,
        int depthMax) {}
