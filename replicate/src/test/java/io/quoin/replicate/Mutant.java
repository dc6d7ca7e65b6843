package io.quoin.replicate;

import java.util.function.BiConsumer;

/** The protocol as it is; subclasses break one rule each. */
class Mutant {
    Brick brick(
            int id,
            Geometry geometry,
            BrickMetadata metadata,
            BrickStore store,
            BiConsumer<Long, Reply> port) {
        return new Brick(id, geometry, metadata, store, port);
    }

    Gateway gateway(
            long id,
            long epoch,
            Layout layout,
            Geometry geometry,
            Timing timing,
            GatewayPort port) {
        return new Gateway(id, epoch, layout, geometry, timing, port);
    }
}
