package io.quoin.tools;

import java.util.List;

/**
 * What a conversion did.
 *
 * <p>Threading: immutable.
 *
 * @param sizeBytes of the image
 * @param readBytes read from the source; the rest was known to be zeros
 * @param storedBytes stored in the target, before compression
 * @param bitmaps names of the dirty bitmaps that were copied
 * @param skippedBitmaps names of those that were left out, being inconsistent
 * @param staleBitmaps whether the source has bitmaps that are not valid any more, all left out
 */
public record ConvertResult(
        long sizeBytes,
        long readBytes,
        long storedBytes,
        List<String> bitmaps,
        List<String> skippedBitmaps,
        boolean staleBitmaps) {}
