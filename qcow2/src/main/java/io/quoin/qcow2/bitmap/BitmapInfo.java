package io.quoin.qcow2.bitmap;

/**
 * What is known of a bitmap.
 *
 * <p>Threading: immutable.
 *
 * @param granularityBytes guest bytes that a bit stands for
 * @param enabled whether it records changes
 * @param inconsistent whether changes may be missing in it: it can only be removed
 * @param dirtyBytes guest bytes that are marked, whole granules of them; -1 if that is not known,
 *     because it is inconsistent
 */
public record BitmapInfo(
        String name,
        long granularityBytes,
        boolean enabled,
        boolean inconsistent,
        long dirtyBytes) {}
