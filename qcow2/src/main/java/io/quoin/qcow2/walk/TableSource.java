package io.quoin.qcow2.walk;

import io.quoin.qcow2.io.Outcome;
import java.nio.ByteBuffer;

/**
 * Where tables are read that do not change: the image's file, or a view of it as it was at one
 * moment ({@code FrozenMetadata::read}).
 *
 * <p>Threading: confined(loop).
 */
@FunctionalInterface
public interface TableSource {
    /** Fills {@code target} up to {@code lengthBytes}; zeros behind the end of the file. */
    void read(long hostOffset, ByteBuffer target, int lengthBytes, Outcome outcome);
}
