package io.quoin.management.assemble;

import java.nio.ByteBuffer;

/**
 * The bytes of a file, wherever they lie.
 *
 * <p>Threading: confined to its thread; blocks.
 */
interface SourceFile extends AutoCloseable {
    long sizeBytes();

    /**
     * Fills {@code into}; zeros past the end.
     *
     * @throws io.quoin.block.BlockException EIO if no copy can be read, naming file and offset
     */
    void read(long offsetBytes, ByteBuffer into);

    @Override
    void close();
}
