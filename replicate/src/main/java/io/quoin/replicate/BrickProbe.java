package io.quoin.replicate;

/**
 * What a brick says of a file without a promise: nothing is fenced by asking.
 *
 * @param promised the highest epoch promised; 0 is none
 * @param isAttended whether a gateway was heard from lately
 */
public record BrickProbe(long promised, boolean isAttended) {}
