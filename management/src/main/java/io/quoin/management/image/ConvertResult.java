package io.quoin.management.image;

/**
 * What a conversion did.
 *
 * @param sizeBytes of the image
 * @param readBytes read from the source; the rest was known to be zeros
 * @param storedBytes stored in the target, before compression
 *     <p>Threading: immutable.
 */
public record ConvertResult(long sizeBytes, long readBytes, long storedBytes) {}
