package io.quoin.replicate.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.quoin.replicate.Payload;
import io.quoin.replicate.PayloadPool;
import io.quoin.replicate.wire.message.Header;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what is received into frames. Each length is checked before memory is taken for it, and a
 * header's memory grows with what has been received of it. Payloads are put into memory of the
 * process's pool.
 *
 * <p>Threading: confined to the connection's loop.
 */
final class FrameReader {
    private static final int FIRST_BYTES = 4096;

    private enum Part {
        PREFIX,
        HEADER,
        PAYLOAD
    }

    private final Deque<ByteBuf> received = new ArrayDeque<>();
    private int headerBytesMax = FrameLayout.HELLO_BYTES_MAX;
    private int payloadBytesMax;
    private Part part = Part.PREFIX;
    private byte[] target = new byte[FrameLayout.PREFIX_BYTES];
    private int filled;
    private int wanted = FrameLayout.PREFIX_BYTES;
    private @Nullable ByteBuffer payload;
    private int headerCrc;
    private int payloadBytes;
    private Header header = Header.getDefaultInstance();

    /** From now on frames may be as large as those of a peer that has said who it is. */
    void admit() {
        headerBytesMax = FrameLayout.HEADER_BYTES_MAX;
        payloadBytesMax = FrameLayout.PAYLOAD_BYTES_MAX;
    }

    /** Takes the buffer over. */
    void add(ByteBuf buffer) {
        received.add(buffer);
    }

    /**
     * The next frame; null if not all of it has been received.
     *
     * @throws WireException if it is none; nothing can be read any more
     */
    @Nullable Frame next() {
        while (part == Part.PAYLOAD ? fillPayload() : fill()) {
            switch (part) {
                case PREFIX -> beginHeader();
                case HEADER -> beginPayload();
                case PAYLOAD -> {
                    return endFrame();
                }
            }
        }
        return null;
    }

    private boolean fillPayload() {
        ByteBuffer memory = payload;
        while (memory != null && memory.position() < payloadBytes) {
            ByteBuf buffer = received.peek();
            if (buffer == null) {
                return false;
            }
            int left = payloadBytes - memory.position();
            memory.limit(memory.position() + Math.min(buffer.readableBytes(), left));
            buffer.readBytes(memory);
            giveBackRead(buffer);
        }
        return true;
    }

    private void giveBackRead(ByteBuf buffer) {
        if (!buffer.isReadable()) {
            received.remove().release();
        }
    }

    private boolean fill() {
        while (filled < wanted) {
            ByteBuf buffer = received.peek();
            if (buffer == null) {
                return false;
            }
            int count = Math.min(buffer.readableBytes(), wanted - filled);
            if (target.length < filled + count) {
                int doubled = Math.max(2 * target.length, filled + count);
                target = Arrays.copyOf(target, Math.min(wanted, doubled));
            }
            buffer.readBytes(target, filled, count);
            filled += count;
            giveBackRead(buffer);
        }
        return true;
    }

    private void begin(Part next, int bytes, byte[] memory) {
        part = next;
        wanted = bytes;
        filled = 0;
        target = memory;
    }

    private void beginHeader() {
        byte[] prefix = target;
        int headerBytes = FrameLayout.headerBytes(prefix, headerBytesMax);
        payloadBytes = FrameLayout.payloadBytes(prefix, headerBytes, payloadBytesMax);
        headerCrc = FrameLayout.headerCrc(prefix);
        begin(Part.HEADER, headerBytes, new byte[Math.min(headerBytes, FIRST_BYTES)]);
    }

    private void beginPayload() {
        if (FrameLayout.crc(target) != headerCrc) {
            throw new WireException("corrupt frame: the header's CRC32C does not match");
        }
        try {
            header = Header.parseFrom(target);
        } catch (InvalidProtocolBufferException e) {
            throw new WireException("illegal frame: not a header: " + e.getMessage());
        }
        part = Part.PAYLOAD;
        payload = payloadBytes == 0 ? null : PayloadPool.SHARED.acquire(payloadBytes);
    }

    private Frame endFrame() {
        ByteBuffer memory = payload;
        payload = null;
        Payload read = memory == null ? Payload.EMPTY : Payload.of(memory, PayloadPool.SHARED);
        if (read.crc() != header.getPayloadCrc()) {
            throw new WireException("corrupt frame: the payload's CRC32C does not match");
        }
        Frame frame = new Frame(header, read);
        header = Header.getDefaultInstance();
        begin(Part.PREFIX, FrameLayout.PREFIX_BYTES, new byte[FrameLayout.PREFIX_BYTES]);
        return frame;
    }

    /** Gives back what was received and not read. */
    void release() {
        received.forEach(ByteBuf::release);
        received.clear();
        if (payload != null) {
            PayloadPool.SHARED.release(payload);
            payload = null;
        }
    }
}
