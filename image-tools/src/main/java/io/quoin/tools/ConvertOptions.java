package io.quoin.tools;

import java.util.Map;

/**
 * How an image is converted.
 *
 * <p>Threading: immutable.
 *
 * @param compressed each cluster of the target is stored compressed
 * @param createOptions of the target, by qemu-img's names; backing_file and backing_fmt make it
 *     store only what differs from its backing file
 * @param existingTarget the target is there already and is written into; nothing is created
 * @param targetIsZero an existing target is known to read as zeros
 * @param sparseBytes so many zeros in a row are not stored; 0 stores everything
 * @param requests how many parts are under way at once
 * @param bitmaps which dirty bitmaps of the source are copied too
 */
public record ConvertOptions(
        boolean compressed,
        Map<String, String> createOptions,
        boolean existingTarget,
        boolean targetIsZero,
        int sparseBytes,
        int requests,
        Bitmaps bitmaps) {
    /** Which dirty bitmaps are copied. */
    public enum Bitmaps {
        NONE,
        /** All; an inconsistent one is an error. */
        ALL,
        /** All but inconsistent ones. */
        CONSISTENT
    }

    /** As qemu-img's. */
    public static final int SPARSE_BYTES = 4096;

    /** Enough to keep a disk and a pool of threads busy. */
    public static final int REQUESTS = 8;

    public ConvertOptions {
        createOptions = Map.copyOf(createOptions);
    }

    public static ConvertOptions defaults() {
        return new ConvertOptions(
                false, Map.of(), false, false, SPARSE_BYTES, REQUESTS, Bitmaps.NONE);
    }

    public ConvertOptions withCreateOptions(Map<String, String> options) {
        return new ConvertOptions(
                compressed, options, existingTarget, targetIsZero, sparseBytes, requests, bitmaps);
    }

    public ConvertOptions withCompression() {
        return new ConvertOptions(
                true, createOptions, existingTarget, targetIsZero, sparseBytes, requests, bitmaps);
    }

    public ConvertOptions intoExisting(boolean isZero) {
        return new ConvertOptions(
                compressed, createOptions, true, isZero, sparseBytes, requests, bitmaps);
    }

    public ConvertOptions withSparseBytes(int newSparseBytes) {
        return new ConvertOptions(
                compressed,
                createOptions,
                existingTarget,
                targetIsZero,
                newSparseBytes,
                requests,
                bitmaps);
    }

    public ConvertOptions withBitmaps(Bitmaps newBitmaps) {
        return new ConvertOptions(
                compressed,
                createOptions,
                existingTarget,
                targetIsZero,
                sparseBytes,
                requests,
                newBitmaps);
    }
}
