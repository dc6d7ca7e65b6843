package io.quoin.nbd.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.MetaContext;
import io.quoin.nbd.protocol.NbdOption;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of the handshake, one option after the other.
 *
 * <pre>
 *   GREETING --flags--> STRUCTURED --ack--> CONTEXT --ack, or refused--> GO --ack--> (transmission)
 *                                  --refused--> GO
 *   any --violation, refusal of GO, end of the connection--> failed
 * </pre>
 *
 * <p>Threading: confined(loop) of the channel.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
final class ClientNegotiation extends ByteToMessageDecoder {
    private static final int DATA_BYTES_MAX = 64 << 10;
    private static final int BLOCK_PREFERRED_BYTES = 4096;

    /** What every server must take, if it does not say otherwise. */
    static final int PAYLOAD_BYTES_MAX = 32 << 20;

    private static final int BLOCK_SIZE_MIN_MAX = 64 << 10;
    private static final int EXPORT_BYTES = Short.BYTES + Long.BYTES + Short.BYTES;
    private static final int BLOCK_SIZE_BYTES = Short.BYTES + 3 * Integer.BYTES;

    private enum State {
        GREETING,
        STRUCTURED,
        CONTEXT,
        GO,
        ENDED
    }

    private final NbdUri uri;
    private final CompletableFuture<ExportDescription> result = new CompletableFuture<>();
    private State state = State.GREETING;
    private boolean isStructured;
    private long allocationId = ExportDescription.NO_CONTEXT;
    private long sizeBytes = -1;
    private int flags;
    private int blockSizeMin = 1;
    private int blockSizePreferred = BLOCK_PREFERRED_BYTES;
    private int payloadBytesMax = PAYLOAD_BYTES_MAX;

    ClientNegotiation(NbdUri uri) {
        this.uri = uri;
        // Once it is removed, nothing that follows may have been taken.
        setSingleDecode(true);
    }

    /** How it ends. The server says nothing on its own afterwards, so no bytes are left over. */
    CompletableFuture<ExportDescription> result() {
        return result;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        try {
            switch (state) {
                case GREETING -> greeting(context, in);
                case STRUCTURED, CONTEXT, GO -> reply(context, in);
                case ENDED -> in.skipBytes(in.readableBytes());
            }
        } catch (BlockException e) {
            fail(context, e);
        }
    }

    private void greeting(ChannelHandlerContext context, ByteBuf in) {
        if (in.readableBytes() < Handshake.GREETING_BYTES) {
            return;
        }
        long magic = in.readLong();
        long version = in.readLong();
        if (magic != Handshake.NBDMAGIC) {
            throw failure(BlockError.EIO, "it is no NBD server");
        }
        if (version != Handshake.IHAVEOPT) {
            throw failure(BlockError.ENOTSUP, "it speaks the old protocol, without negotiation");
        }
        int offered = in.readUnsignedShort();
        if ((offered & Handshake.FLAG_FIXED_NEWSTYLE) == 0) {
            throw failure(BlockError.ENOTSUP, "it does not speak the fixed newstyle protocol");
        }
        ByteBuf answer = Unpooled.buffer();
        answer.writeInt(Handshake.FLAG_FIXED_NEWSTYLE | (offered & Handshake.FLAG_NO_ZEROES));
        header(answer, NbdOption.STRUCTURED_REPLY, 0);
        state = State.STRUCTURED;
        context.writeAndFlush(answer, context.voidPromise());
    }

    private static void header(ByteBuf target, int option, int lengthBytes) {
        target.writeLong(Handshake.IHAVEOPT).writeInt(option).writeInt(lengthBytes);
    }

    private int option() {
        return switch (state) {
            case STRUCTURED -> NbdOption.STRUCTURED_REPLY;
            case CONTEXT -> NbdOption.SET_META_CONTEXT;
            default -> NbdOption.GO;
        };
    }

    private void reply(ChannelHandlerContext context, ByteBuf in) {
        if (in.readableBytes() < Handshake.REPLY_HEADER_BYTES) {
            return;
        }
        int lengthIndex = in.readerIndex() + Handshake.REPLY_HEADER_BYTES - Integer.BYTES;
        long length = in.getUnsignedInt(lengthIndex);
        if (length > DATA_BYTES_MAX) {
            throw violation("option reply of " + length + " bytes");
        }
        if (in.readableBytes() < Handshake.REPLY_HEADER_BYTES + length) {
            return;
        }
        long magic = in.readLong();
        int option = in.readInt();
        int type = in.readInt();
        in.skipBytes(Integer.BYTES);
        if (magic != Handshake.REPLY_MAGIC || option != option()) {
            throw violation(
                    "reply to "
                            + NbdOption.toString(option)
                            + " instead of "
                            + NbdOption.toString(option()));
        }
        take(context, type, in.readSlice((int) length));
    }

    private void take(ChannelHandlerContext context, int type, ByteBuf data) {
        switch (type) {
            case NbdOption.REP_ACK -> acknowledged(context);
            case NbdOption.REP_META_CONTEXT -> metaContext(data);
            case NbdOption.REP_INFO -> information(data);
            default -> {
                if (type >= 0) {
                    throw violation("option reply of type " + type);
                }
                refused(context, type, data.toString(StandardCharsets.UTF_8));
            }
        }
    }

    private void acknowledged(ChannelHandlerContext context) {
        switch (state) {
            case STRUCTURED -> {
                isStructured = true;
                askForContext(context);
            }
            case CONTEXT -> askToGo(context);
            default -> done(context);
        }
    }

    /** Without an option the connection is worth having; without the export it is not. */
    private void refused(ChannelHandlerContext context, int type, String message) {
        if (type == NbdOption.REP_ERR_TLS_REQD) {
            throw failure(BlockError.ENOTSUP, "it asks for TLS, which is not supported");
        }
        switch (state) {
            case STRUCTURED, CONTEXT -> {
                allocationId = ExportDescription.NO_CONTEXT;
                askToGo(context);
            }
            default -> throw refusal(type, message);
        }
    }

    private BlockException refusal(int type, String message) {
        String said = message.isBlank() ? "" : ", server says=" + printable(message);
        return switch (type) {
            case NbdOption.REP_ERR_UNKNOWN ->
                    failure(BlockError.ENOENT, "it has no such export" + said);
            case NbdOption.REP_ERR_POLICY ->
                    failure(BlockError.EPERM, "it does not allow the export" + said);
            case NbdOption.REP_ERR_SHUTDOWN ->
                    failure(BlockError.ESHUTDOWN, "it is shutting down" + said);
            case NbdOption.REP_ERR_UNSUP ->
                    failure(BlockError.ENOTSUP, "it does not know the option GO" + said);
            default ->
                    failure(
                            BlockError.EIO,
                            "it refuses the export: code=" + (type & 0xFFFF) + said);
        };
    }

    private static String printable(String text) {
        return text.strip().replaceAll("\\p{Cntrl}", "?");
    }

    private void askForContext(ChannelHandlerContext context) {
        byte[] name = uri.exportName().getBytes(StandardCharsets.UTF_8);
        byte[] query = MetaContext.BASE_ALLOCATION.name().getBytes(StandardCharsets.UTF_8);
        ByteBuf ask = Unpooled.buffer();
        header(
                ask,
                NbdOption.SET_META_CONTEXT,
                Integer.BYTES + name.length + Integer.BYTES + Integer.BYTES + query.length);
        ask.writeInt(name.length).writeBytes(name);
        ask.writeInt(1).writeInt(query.length).writeBytes(query);
        state = State.CONTEXT;
        context.writeAndFlush(ask, context.voidPromise());
    }

    private void metaContext(ByteBuf data) {
        if (state != State.CONTEXT || data.readableBytes() < Integer.BYTES) {
            throw violation("unexpected metadata context");
        }
        long id = data.readUnsignedInt();
        if (MetaContext.BASE_ALLOCATION.name().equals(data.toString(StandardCharsets.UTF_8))) {
            allocationId = id;
        }
    }

    private void askToGo(ChannelHandlerContext context) {
        byte[] name = uri.exportName().getBytes(StandardCharsets.UTF_8);
        ByteBuf ask = Unpooled.buffer();
        header(ask, NbdOption.GO, Integer.BYTES + name.length + 2 * Short.BYTES);
        ask.writeInt(name.length).writeBytes(name);
        ask.writeShort(1).writeShort(NbdOption.INFO_BLOCK_SIZE);
        state = State.GO;
        context.writeAndFlush(ask, context.voidPromise());
    }

    private void information(ByteBuf data) {
        if (state != State.GO || data.readableBytes() < Short.BYTES) {
            throw violation("unexpected information");
        }
        int length = data.readableBytes();
        int type = data.readUnsignedShort();
        if (type == NbdOption.INFO_EXPORT) {
            if (length != EXPORT_BYTES) {
                throw violation("export information of " + length + " bytes");
            }
            sizeBytes = data.readLong();
            flags = data.readUnsignedShort();
        } else if (type == NbdOption.INFO_BLOCK_SIZE) {
            if (length != BLOCK_SIZE_BYTES) {
                throw violation("block size information of " + length + " bytes");
            }
            blockSizes(data.readUnsignedInt(), data.readUnsignedInt(), data.readUnsignedInt());
        }
    }

    private void blockSizes(long min, long preferred, long max) {
        boolean isLegal =
                Long.bitCount(min) == 1
                        && min <= BLOCK_SIZE_MIN_MAX
                        && Long.bitCount(preferred) == 1
                        && preferred >= min
                        && max >= min;
        if (!isLegal) {
            throw violation("block sizes " + min + ", " + preferred + ", " + max);
        }
        blockSizeMin = (int) min;
        payloadBytesMax = (int) (Math.min(max, PAYLOAD_BYTES_MAX) & -min);
        blockSizePreferred = (int) Math.min(preferred, Integer.highestOneBit(payloadBytesMax));
    }

    private void done(ChannelHandlerContext context) {
        if (sizeBytes < 0) {
            throw violation("no size below 2^63 for the export");
        }
        if (sizeBytes % blockSizeMin != 0) {
            throw violation("size " + sizeBytes + " is no multiple of the block " + blockSizeMin);
        }
        state = State.ENDED;
        // What waits puts the next handler behind this one, which then goes.
        result.complete(
                new ExportDescription(
                        sizeBytes,
                        flags,
                        isStructured,
                        isStructured ? allocationId : ExportDescription.NO_CONTEXT,
                        blockSizeMin,
                        blockSizePreferred,
                        payloadBytesMax));
        context.pipeline().remove(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        fail(context, failure(BlockError.EIO, "it closed the connection while negotiating"));
        super.channelInactive(context); // lets go of what was received
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(context, failure(BlockError.EIO, Reason.of(cause)));
    }

    /** Gives up, for example when it takes too long. */
    void fail(ChannelHandlerContext context, BlockException failure) {
        state = State.ENDED;
        result.completeExceptionally(failure);
        context.close();
    }

    private BlockException violation(String what) {
        return failure(BlockError.EIO, "it violates the protocol: " + what);
    }

    BlockException failure(BlockError error, String why) {
        return failure(uri, error, why, null);
    }

    static BlockException failure(
            NbdUri uri, BlockError error, String why, @Nullable Throwable cause) {
        return new BlockException(
                error,
                "NBD server cannot be used: server="
                        + uri.server()
                        + ", export="
                        + uri.exportName()
                        + ", "
                        + why,
                cause);
    }
}
