package io.quoin.replicate;

/**
 * What a brick says of a file without a promise: nothing is fenced by asking.
 *
 * @param promised the highest epoch promised; 0 is none, also where there is no such file
 * @param gateway to which gateway it was promised
 * @param isAttended whether a gateway was heard from lately
 * @param config the newest configuration accepted
 * @param sizeBytes of the brick's copy
 * @param allocatedBytes what the copy takes up
 */
public record BrickProbe(
        long promised,
        long gateway,
        boolean isAttended,
        Config config,
        long sizeBytes,
        long allocatedBytes) {}
