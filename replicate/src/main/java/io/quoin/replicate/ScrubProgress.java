package io.quoin.replicate;

/**
 * How far a scrub of an image is.
 *
 * @param doneBytes of the image, on every member in sync
 * @param totalBytes of the image when it began
 * @param corruptBlocks found, on all members together
 * @param repairedBlocks of them; the others are corrupt still
 * @param isEnded whether this is the last word; not all was looked at if {@code doneBytes} is less
 *     than {@code totalBytes}
 */
public record ScrubProgress(
        long doneBytes,
        long totalBytes,
        long corruptBlocks,
        long repairedBlocks,
        boolean isEnded) {}
