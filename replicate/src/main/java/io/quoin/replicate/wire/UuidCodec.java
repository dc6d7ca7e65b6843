package io.quoin.replicate.wire;

import io.quoin.replicate.wire.message.Uuid;
import java.util.UUID;

/**
 * Ids on the wire.
 *
 * <p>Threading: immutable.
 */
final class UuidCodec {
    private UuidCodec() {}

    static Uuid toMessage(UUID id) {
        return Uuid.newBuilder()
                .setHigh(id.getMostSignificantBits())
                .setLow(id.getLeastSignificantBits())
                .build();
    }

    static UUID fromMessage(Uuid message) {
        return new UUID(message.getHigh(), message.getLow());
    }
}
