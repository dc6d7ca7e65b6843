package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;

/**
 * Answers at once and does nothing, so that only what lies above it is measured.
 *
 * <p>Threading: confined(loop).
 */
final class NullDevice implements BlockDevice {
    private final Geometry geometry = new Geometry(1L << 40, 1, 4096, 1 << 25);
    private final Capabilities capabilities = new Capabilities(true, true, true, true, true, false);

    @Override
    public Geometry geometry() {
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void submit(IoRequest request) {
        request.complete(BlockError.OK);
    }
}
