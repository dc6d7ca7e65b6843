package io.quoin.nbd.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads replies from whatever pieces they come in. Content goes straight to the request's memory;
 * all else is small and put together first.
 *
 * <pre>
 *   HEADER --simple reply--> HEADER, or DATA of a READ --> HEADER
 *   HEADER --chunk--> FIELDS of its kind --> HEADER, or DATA, or EXTENTS --> HEADER
 *   any --violation--> the connection ends
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ReplyReader {
    private static final int MESSAGE_BYTES_MAX = 4096;
    private static final int ERROR_FIELDS_BYTES = Integer.BYTES + Short.BYTES;
    private static final int HOLE_FIELDS_BYTES = Long.BYTES + Integer.BYTES;
    private static final int ERROR_BYTES_MAX = ERROR_FIELDS_BYTES + MESSAGE_BYTES_MAX + Long.BYTES;
    private static final int ERROR_TYPE = 1 << 15;

    private enum State {
        HEADER,
        FIELDS,
        DATA,
        EXTENTS
    }

    /** A server that does not keep to the protocol. */
    static final class Violation extends Exception {
        private static final long serialVersionUID = 1L;

        Violation(String what) {
            super("it violates the protocol: " + what);
        }
    }

    private final ExportDescription export;
    private final ClientConnection connection;
    private final StatusAnswer status;
    private final ByteBuf fields = Unpooled.buffer(ERROR_BYTES_MAX, ERROR_BYTES_MAX);
    private State state = State.HEADER;
    private @Nullable ClientCommand command;
    private int chunkType;
    private boolean isLast;
    private long payloadBytes;
    private long dataPosition;

    ReplyReader(ExportDescription export, ClientConnection connection) {
        this.export = export;
        this.connection = connection;
        status = new StatusAnswer(export.blockSizeMin());
    }

    /** Takes everything in {@code in}. */
    void read(ByteBuf in) throws Violation {
        boolean going = true;
        while (going) {
            going =
                    switch (state) {
                        case HEADER -> header(in);
                        case FIELDS -> fields(in);
                        case DATA -> data(in);
                        case EXTENTS -> extents(in);
                    };
        }
    }

    /** Whether {@code fields} has that many bytes now. */
    private boolean collect(ByteBuf in, int lengthBytes) {
        int missing = lengthBytes - fields.readableBytes();
        if (missing > 0) {
            fields.writeBytes(in, Math.min(missing, in.readableBytes()));
        }
        return fields.readableBytes() >= lengthBytes;
    }

    private ClientCommand command() {
        return Objects.requireNonNull(command, "reply without a command");
    }

    private void find(long cookie) throws Violation {
        command = connection.find(cookie);
        if (command == null) {
            throw new Violation("reply to no request: cookie=" + cookie);
        }
    }

    private boolean header(ByteBuf in) throws Violation {
        if (!collect(in, Integer.BYTES)) {
            return false;
        }
        int magic = fields.getInt(0);
        if (magic == ReplyLayout.SIMPLE_MAGIC) {
            if (!collect(in, ReplyLayout.SIMPLE_BYTES)) {
                return false;
            }
            simple();
        } else if (magic == ReplyLayout.CHUNK_MAGIC && export.isStructured()) {
            if (!collect(in, ReplyLayout.CHUNK_BYTES)) {
                return false;
            }
            chunk();
        } else {
            throw new Violation("reply begins with 0x" + Integer.toHexString(magic));
        }
        return true;
    }

    private void simple() throws Violation {
        fields.skipBytes(Integer.BYTES);
        int errno = fields.readInt();
        find(fields.readLong());
        fields.clear();
        ClientCommand answered = command();
        boolean needsChunks =
                answered.type == RequestLayout.READ || answered.type == RequestLayout.BLOCK_STATUS;
        if (needsChunks && export.isStructured()) {
            throw new Violation("simple reply where a structured one was agreed on");
        }
        isLast = true;
        if (errno != 0) {
            fail(errno, "");
            payloadEnded();
        } else if (answered.type == RequestLayout.READ) {
            payloadBytes = answered.lengthBytes;
            dataPosition = place(answered.offsetBytes, payloadBytes);
            state = State.DATA;
        } else {
            payloadEnded();
        }
    }

    private void chunk() throws Violation {
        fields.skipBytes(Integer.BYTES);
        isLast = (fields.readUnsignedShort() & ReplyLayout.FLAG_DONE) != 0;
        chunkType = fields.readUnsignedShort();
        find(fields.readLong());
        payloadBytes = fields.readUnsignedInt();
        fields.clear();
        int type = command().type;
        boolean isLegal =
                switch (chunkType) {
                    case ReplyLayout.TYPE_NONE -> payloadBytes == 0 && isLast;
                    case ReplyLayout.TYPE_OFFSET_DATA ->
                            type == RequestLayout.READ && payloadBytes > Long.BYTES;
                    case ReplyLayout.TYPE_OFFSET_HOLE ->
                            type == RequestLayout.READ && payloadBytes == HOLE_FIELDS_BYTES;
                    case ReplyLayout.TYPE_BLOCK_STATUS ->
                            type == RequestLayout.BLOCK_STATUS
                                    && payloadBytes
                                            >= Integer.BYTES + ReplyLayout.STATUS_DESCRIPTOR_BYTES
                                    && (payloadBytes - Integer.BYTES)
                                                    % ReplyLayout.STATUS_DESCRIPTOR_BYTES
                                            == 0;
                    default ->
                            (chunkType & ERROR_TYPE) != 0
                                    && payloadBytes >= ERROR_FIELDS_BYTES
                                    && payloadBytes <= ERROR_BYTES_MAX;
                };
        if (!isLegal) {
            throw new Violation(
                    "chunk of type "
                            + chunkType
                            + " and length "
                            + payloadBytes
                            + " in the reply to a request of type "
                            + type);
        }
        if (chunkType == ReplyLayout.TYPE_NONE) {
            payloadEnded();
        } else {
            state = State.FIELDS;
        }
    }

    private boolean fields(ByteBuf in) throws Violation {
        int wanted =
                switch (chunkType) {
                    case ReplyLayout.TYPE_OFFSET_DATA -> Long.BYTES;
                    case ReplyLayout.TYPE_OFFSET_HOLE -> HOLE_FIELDS_BYTES;
                    case ReplyLayout.TYPE_BLOCK_STATUS -> Integer.BYTES;
                    default -> (int) payloadBytes;
                };
        if (!collect(in, wanted)) {
            return false;
        }
        switch (chunkType) {
            case ReplyLayout.TYPE_OFFSET_DATA -> {
                payloadBytes -= Long.BYTES;
                dataPosition = place(fields.readLong(), payloadBytes);
                state = State.DATA;
            }
            case ReplyLayout.TYPE_OFFSET_HOLE -> hole();
            case ReplyLayout.TYPE_BLOCK_STATUS -> {
                if (fields.readUnsignedInt() != export.allocationId()) {
                    throw new Violation("block status of a context that was not selected");
                }
                if (command().isDescribed) {
                    throw new Violation("block status twice");
                }
                command().isDescribed = true;
                payloadBytes -= Integer.BYTES;
                status.begin(command().request());
                state = State.EXTENTS;
            }
            default -> error();
        }
        fields.clear();
        return true;
    }

    /** Takes note of content that is there or to come; where in the request's memory it belongs. */
    private long place(long offsetBytes, long lengthBytes) throws Violation {
        long position = offsetBytes - command().offsetBytes;
        if (offsetBytes < 0 || position < 0 || lengthBytes > command().lengthBytes - position) {
            throw new Violation(
                    "content outside of the request: offset="
                            + offsetBytes
                            + ", length="
                            + lengthBytes);
        }
        command().cover(position, lengthBytes);
        return command().doneBytes + position;
    }

    private void hole() throws Violation {
        long offset = fields.readLong();
        long length = fields.readUnsignedInt();
        long position = place(offset, length);
        command().request().memory().zero(position, length);
        payloadEnded();
    }

    private void error() throws Violation {
        int errno = fields.readInt();
        int length = fields.readUnsignedShort();
        if (errno == 0 || length > fields.readableBytes()) {
            throw new Violation("malformed error chunk");
        }
        fail(errno, fields.readCharSequence(length, StandardCharsets.UTF_8).toString());
        payloadEnded();
    }

    private void fail(int errno, String message) {
        if (command().error.isOk()) {
            command().error = blockError(errno);
        }
        connection.requestFailed(command(), errno, message);
    }

    private static BlockError blockError(int errno) {
        return switch (errno) {
            case 1 -> BlockError.EPERM;
            case 12 -> BlockError.ENOMEM;
            case 22 -> BlockError.EINVAL;
            case 28 -> BlockError.ENOSPC;
            case 75 -> BlockError.EOVERFLOW;
            case 95 -> BlockError.ENOTSUP;
            case 108 -> BlockError.ESHUTDOWN;
            default -> BlockError.EIO;
        };
    }

    private boolean data(ByteBuf in) throws Violation {
        int part = (int) Math.min(payloadBytes, in.readableBytes());
        if (part > 0) {
            long source = Addresses.of(in) + in.readerIndex();
            command().request().memory().copyFrom(dataPosition, source, part);
            in.skipBytes(part);
            dataPosition += part;
            payloadBytes -= part;
        }
        if (payloadBytes > 0) {
            return false;
        }
        payloadEnded();
        return true;
    }

    private boolean extents(ByteBuf in) throws Violation {
        while (payloadBytes > 0) {
            if (!collect(in, ReplyLayout.STATUS_DESCRIPTOR_BYTES)) {
                return false;
            }
            extent(fields.readUnsignedInt(), fields.readInt());
            fields.clear();
            payloadBytes -= ReplyLayout.STATUS_DESCRIPTOR_BYTES;
        }
        status.end();
        payloadEnded();
        return true;
    }

    private void extent(long lengthBytes, int bits) throws Violation {
        if (lengthBytes == 0) {
            throw new Violation("empty extent");
        }
        status.add(lengthBytes, bits & (BlockStatus.HOLE | BlockStatus.ZERO));
    }

    private void payloadEnded() throws Violation {
        state = State.HEADER;
        if (!isLast) {
            return;
        }
        ClientCommand answered = command();
        command = null;
        boolean needsContent = answered.type == RequestLayout.READ && answered.error.isOk();
        if (needsContent && !answered.isCovered()) {
            throw new Violation(
                    "content with gaps or twice: offset="
                            + answered.offsetBytes
                            + ", length="
                            + answered.lengthBytes);
        }
        connection.answered(answered);
    }
}
