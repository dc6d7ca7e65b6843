package io.quoin.nbd.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.quoin.block.BlockError;
import io.quoin.block.IoVector;
import io.quoin.block.Reason;
import io.quoin.nbd.protocol.RequestLayout;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection in the transmission phase: sends commands, and ends each when its answer is there.
 * When the connection ends, for whatever reason, every command under way fails, and every later
 * one.
 *
 * <p>Threading: confined(loop) of the channel.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
final class ClientConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientConnection.class);

    /** What one write gives to the socket. */
    private static final int CHUNK_BYTES = 256 << 10;

    private static final String IT_CLOSED = "it closed the connection";

    private final NbdUri uri;
    private final Channel channel;
    private final Consumer<ClientCommand> ended;
    private final ReplyReader reader;
    private final CommandTable table = new CommandTable();
    private final Runnable flushTask = this::flushNow;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private boolean isFlushScheduled;
    private boolean isReading;
    private boolean isClosing;
    private boolean isRequestFailureLogged;
    private @Nullable String failure;

    /**
     * @param ended hears of each command that has ended
     */
    ClientConnection(
            NbdUri uri, Channel channel, ExportDescription export, Consumer<ClientCommand> ended) {
        this.uri = uri;
        this.channel = channel;
        this.ended = ended;
        reader = new ReplyReader(export, this);
    }

    /** Why nothing works any more, or null. */
    @Nullable String failure() {
        return failure;
    }

    @Nullable ClientCommand find(long cookie) {
        return table.find(cookie);
    }

    /** Sends a command that carries nothing. */
    void send(ClientCommand command, int flags) {
        sendHeader(command, flags);
        scheduleFlush();
    }

    /** Sends a WRITE of what {@code memory} has from {@code position} on. */
    void send(ClientCommand command, int flags, IoVector memory, long position) {
        sendHeader(command, flags);
        sendPayload(memory, position, position + command.lengthBytes);
        scheduleFlush();
    }

    private void sendHeader(ClientCommand command, int flags) {
        long cookie = table.add(command);
        ByteBuf header = channel.alloc().directBuffer(RequestLayout.BYTES, RequestLayout.BYTES);
        header.writeInt(RequestLayout.MAGIC)
                .writeShort(flags)
                .writeShort(command.type)
                .writeLong(cookie)
                .writeLong(command.offsetBytes)
                .writeInt(command.lengthBytes);
        channel.write(header, channel.voidPromise());
    }

    /** Copies it into the channel's memory: it sends from no other. */
    private void sendPayload(IoVector memory, long start, long end) {
        for (long position = start; position < end; position += CHUNK_BYTES) {
            int part = (int) Math.min(end - position, CHUNK_BYTES);
            ByteBuf chunk = channel.alloc().directBuffer(part, part);
            memory.copyTo(position, Addresses.of(chunk), part);
            chunk.writerIndex(part);
            channel.write(chunk, channel.voidPromise());
        }
    }

    private void scheduleFlush() {
        if (!isReading && !isFlushScheduled) {
            isFlushScheduled = true;
            channel.eventLoop().execute(flushTask);
        }
    }

    private void flushNow() {
        isFlushScheduled = false;
        channel.flush();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        isReading = true;
        try {
            if (failure == null) {
                reader.read(in);
            }
        } catch (ReplyReader.Violation e) {
            fail(Reason.of(e));
        } finally {
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        isReading = false;
        context.flush();
    }

    /** The server's word on a request; the first is logged, the data path only counts. */
    void requestFailed(ClientCommand command, int errno, String message) {
        if (!isRequestFailureLogged) {
            isRequestFailureLogged = true;
            LOG.warn(
                    "request failed: server={}, export={}, request={}, errno={}, server says={}",
                    uri.server(),
                    uri.exportName(),
                    command.request(),
                    errno,
                    message.replaceAll("\\p{Cntrl}", "?"));
        }
    }

    void answered(ClientCommand command) {
        end(command);
    }

    private void end(ClientCommand command) {
        table.remove(command);
        ended.accept(command);
    }

    /** Nothing can be trusted that comes from now on. */
    private void fail(String why) {
        if (failure == null) {
            failure =
                    "connection to the NBD server lost: server="
                            + uri.server()
                            + ", export="
                            + uri.exportName()
                            + ", "
                            + why;
        }
        channel.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // What was still to be sent when the channel closed hears of it first.
        boolean isEnd = cause instanceof ClosedChannelException;
        fail(isEnd ? IT_CLOSED : Reason.of(cause));
    }

    /** Netty has let go of everything that was to be sent. */
    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail(isClosing ? "the export has been closed" : IT_CLOSED);
        isReading = false;
        ClientCommand command = table.any();
        while (command != null) {
            command.error = BlockError.EIO;
            end(command);
            command = table.any();
        }
        closed.complete(null);
    }

    /** Waits for nothing any more: what is under way ends as if the server had gone. */
    void abort() {
        fail("it was given up");
    }

    /** Says goodbye; completes when the channel is closed. Nothing is under way. */
    CompletableFuture<Void> close() {
        isClosing = true;
        if (!channel.isActive()) {
            channel.close();
            closed.complete(null);
            return closed;
        }
        ByteBuf goodbye = channel.alloc().directBuffer(RequestLayout.BYTES, RequestLayout.BYTES);
        goodbye.writeInt(RequestLayout.MAGIC)
                .writeShort(0)
                .writeShort(RequestLayout.DISC)
                .writeZero(RequestLayout.BYTES - RequestLayout.COOKIE_OFFSET);
        channel.writeAndFlush(goodbye).addListener(done -> channel.close());
        return closed;
    }
}
