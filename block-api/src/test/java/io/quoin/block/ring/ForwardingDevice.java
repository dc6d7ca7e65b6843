package io.quoin.block.ring;

import io.quoin.block.BlockDevice;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;
import java.util.function.Consumer;

/** Another device's sizes, with the test's own way to carry requests out. */
record ForwardingDevice(BlockDevice device, Consumer<IoRequest> submission) implements BlockDevice {
    @Override
    public Geometry geometry() {
        return device.geometry();
    }

    @Override
    public Capabilities capabilities() {
        return device.capabilities();
    }

    @Override
    public void submit(IoRequest request) {
        submission.accept(request);
    }
}
