package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * An image that the caller of a tool has opened, as a disk of a volume, or a snapshot of one.
 *
 * <p>Threading: immutable.
 *
 * @param text its name
 */
record GivenImage(String text) implements ImageLocation {
    @Override
    public ImageLocation at(String snapshot) {
        throw new BlockException(
                BlockError.EINVAL,
                "an image that is open has its snapshot already: name="
                        + text
                        + ", snapshot="
                        + snapshot);
    }
}
