package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where one channel receives into: small buffers during the handshake, then whatever the
 * transmission gives.
 *
 * <p>Threading: confined(loop) of the channel.
 */
public final class ReceiveSource extends DefaultMaxMessagesRecvByteBufAllocator {
    private static final int HANDSHAKE_BYTES = 2048;

    /** Receives before a batch is carried out, as long as each filled its buffer. */
    private static final int RECEIVES_MAX = 4;

    /** Bytes after which others on the loop have their turn. */
    private static final int RECEIVED_BYTES_MAX = 1 << 20;

    private @Nullable Supplier<ByteBuf> buffers;

    public ReceiveSource() {
        super(RECEIVES_MAX);
    }

    /** From now on each receive goes into a buffer from {@code newBuffers}, retained for it. */
    public void receiveInto(Supplier<ByteBuf> newBuffers) {
        buffers = newBuffers;
    }

    // The interface that channels ask for has a deprecated return type.
    @SuppressWarnings("deprecation")
    @Override
    public Handle newHandle() {
        return new Receive();
    }

    private final class Receive extends MaxMessageHandle {
        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            Supplier<ByteBuf> source = buffers;
            return source == null ? allocator.directBuffer(HANDSHAKE_BYTES) : source.get();
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
            return totalBytesRead() < RECEIVED_BYTES_MAX && super.continueReading(maybeMore);
        }

        @Override
        public int guess() {
            return HANDSHAKE_BYTES;
        }
    }
}
