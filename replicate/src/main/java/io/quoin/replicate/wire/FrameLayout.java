package io.quoin.replicate.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A frame. Numbers are unsigned and big-endian.
 *
 * <pre>
 *   0        4               8            12        12 + header length
 *   +--------+---------------+------------+---------+---------+
 *   | length | header length | header CRC | header  | payload |
 *   +--------+---------------+------------+---------+---------+
 * </pre>
 *
 * The length counts what is behind it. The header is a protobuf {@code Header}, its CRC a CRC32C: a
 * flipped bit in an offset would write good data to a wrong place. The payload's CRC32C is in the
 * header.
 *
 * <p>Threading: immutable.
 */
final class FrameLayout {
    static final int PREFIX_BYTES = 12;

    /** No request and no reply has more data. */
    static final int PAYLOAD_BYTES_MAX = 1 << 20;

    /** Of the first frame, whose sender is not known yet. */
    static final int HELLO_BYTES_MAX = 4096;

    /** Three maps of {@link RegionCodec#REGIONS_MAX} regions, and some. */
    static final int HEADER_BYTES_MAX = 25 << 20;

    private static final int LENGTH = 0;
    private static final int HEADER_LENGTH = 4;
    private static final int HEADER_CRC = 8;
    private static final int BEFORE_HEADER_BYTES = PREFIX_BYTES - HEADER_LENGTH;

    private FrameLayout() {}

    /** Appends prefix and header; the payload follows them. */
    static void write(ByteBuf out, byte[] header, int payloadBytes) {
        out.writeInt(BEFORE_HEADER_BYTES + header.length + payloadBytes);
        out.writeInt(header.length);
        out.writeInt(crc(header));
        out.writeBytes(header);
    }

    static int headerBytes(byte[] prefix, int headerBytesMax) {
        long bytes = unsigned(prefix, HEADER_LENGTH);
        if (bytes > headerBytesMax) {
            throw new WireException(
                    "illegal frame: headerBytes=" + bytes + ", expected=at most " + headerBytesMax);
        }
        return (int) bytes;
    }

    static int payloadBytes(byte[] prefix, int headerBytes, int payloadBytesMax) {
        long bytes = unsigned(prefix, LENGTH) - BEFORE_HEADER_BYTES - headerBytes;
        if (bytes < 0 || bytes > payloadBytesMax) {
            throw new WireException(
                    "illegal frame: payloadBytes=" + bytes + ", expected=0 to " + payloadBytesMax);
        }
        return (int) bytes;
    }

    static int headerCrc(byte[] prefix) {
        return ByteBuffer.wrap(prefix).getInt(HEADER_CRC);
    }

    static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static long unsigned(byte[] prefix, int offset) {
        return Integer.toUnsignedLong(ByteBuffer.wrap(prefix).getInt(offset));
    }
}
