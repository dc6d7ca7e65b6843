package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockException;
import org.jspecify.annotations.Nullable;

/**
 * Told when bitmaps have been read.
 *
 * <p>Threading: called on the owner loop, possibly before the operation's method returns.
 */
@FunctionalInterface
public interface BitmapsLoaded {
    /** {@code failure} says why the bitmaps cannot be used; null: they can. */
    void loaded(@Nullable BlockException failure);
}
