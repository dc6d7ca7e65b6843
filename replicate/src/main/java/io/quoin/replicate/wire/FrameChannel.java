package io.quoin.replicate.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.quoin.block.Uncaught;
import io.quoin.replicate.Payload;
import io.quoin.replicate.wire.message.Header;
import io.quoin.replicate.wire.message.Ping;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoop;
import org.jspecify.annotations.Nullable;

/**
 * One connection, for either end: frames in and out, one flush for all that a turn of the loop has
 * sent, pings, and what ends it. Whatever is illegal, corrupt or late ends it; nothing is skipped.
 *
 * <p>Threading: confined to the connection's loop.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
final class FrameChannel extends ChannelInboundHandlerAdapter {
    /** What is spoken over it. */
    interface Owner {
        /** Connected, and with TLS the other side's certificate is good. */
        void opened();

        /**
         * A frame; those of a connection come in order.
         *
         * @throws WireException if it makes no sense; the connection ends
         */
        void received(Frame frame);

        /** The other side has taken something of what was sent. */
        void drained();

        /** Once in a while. */
        void ticked();

        /** It has ended: once, and nothing is told behind it. */
        void ended(String reason);
    }

    private final NettyLoop loop;
    private final WireTiming timing;
    private final boolean isTls;
    private final Owner owner;
    private final FrameReader reader = new FrameReader();
    private final Liveness liveness;
    private @Nullable ChannelHandlerContext context;
    private Loop.@Nullable Timer timer;
    private long pendingBytes;
    private boolean isPaused;
    private boolean isReading;
    private boolean isFlushPlanned;
    private boolean isEnding;
    private boolean isEnded;

    FrameChannel(NettyLoop loop, WireTiming timing, boolean isTls, Owner owner) {
        this.loop = loop;
        this.timing = timing;
        this.isTls = isTls;
        this.owner = owner;
        this.liveness = new Liveness(timing);
    }

    /** The hello is done: pings begin, and frames may be large. */
    void greeted() {
        reader.admit();
        liveness.greeted();
    }

    /** A first message was sent or received whose answer may take a while: pings begin. */
    void waiting() {
        liveness.greeted();
    }

    /** Bytes that were sent and not yet taken by the socket. */
    long pendingBytes() {
        return pendingBytes;
    }

    boolean isEnded() {
        return isEnded;
    }

    void send(Header.Builder header) {
        send(header, Payload.EMPTY, FrameChannel::nothing);
    }

    /**
     * Sends, behind all that was sent before; nothing is sent once it ends.
     *
     * @param whenTaken runs once the payload is not read any more
     */
    void send(Header.Builder header, Payload payload, Runnable whenTaken) {
        liveness.sent();
        write(header, payload, whenTaken);
    }

    private void write(Header.Builder header, Payload payload, Runnable whenTaken) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || isEnding || isEnded) {
            whenTaken.run();
            return;
        }
        byte[] bytes = header.setPayloadCrc(payload.crc()).build().toByteArray();
        if (bytes.length > FrameLayout.HEADER_BYTES_MAX) {
            end("too large to be sent: headerBytes=" + bytes.length);
            whenTaken.run();
            return;
        }
        int payloadBytes = payload.lengthBytes();
        int frameBytes = FrameLayout.PREFIX_BYTES + bytes.length + payloadBytes;
        ByteBuf head = ctx.alloc().buffer(frameBytes - payloadBytes);
        FrameLayout.write(head, bytes, payloadBytes);
        pendingBytes += frameBytes;
        ChannelFuture written = ctx.write(head);
        if (payloadBytes > 0) {
            written = ctx.write(Unpooled.wrappedBuffer(payload.buffer()));
        }
        written.addListener(
                done -> {
                    whenTaken.run();
                    taken(frameBytes);
                });
        planFlush(ctx);
    }

    private static void nothing() {}

    private void taken(int frameBytes) {
        pendingBytes -= frameBytes;
        liveness.taken();
        if (!isEnded) {
            owner.drained();
        }
    }

    private void planFlush(ChannelHandlerContext ctx) {
        if (!isFlushPlanned) {
            isFlushPlanned = true;
            loop.execute(
                    () -> {
                        isFlushPlanned = false;
                        ctx.flush();
                    });
        }
    }

    /** Reads nothing from the socket, and hands on nothing of what was read, until it goes on. */
    void pause() {
        setPaused(true);
    }

    void resume() {
        if (isPaused) {
            setPaused(false);
            loop.execute(this::read);
        }
    }

    private void setPaused(boolean isNowPaused) {
        isPaused = isNowPaused;
        if (context != null) {
            context.channel().config().setAutoRead(!isNowPaused);
        }
    }

    /** Ends it at once. */
    void end(String reason) {
        if (isEnded) {
            return;
        }
        isEnded = true;
        reader.release();
        if (timer != null) {
            timer.cancel();
        }
        if (context != null) {
            context.close();
        }
        owner.ended(reason);
    }

    /** Ends it once the other side has closed, which what was sent last tells it to do, or late. */
    void endBehind() {
        isEnding = true;
        liveness.ending();
        if (isPaused) {
            resume();
        }
    }

    private void tick() {
        timer = loop.schedule(timing.tickNanos(), this::tick);
        String late = liveness.tick(isPaused, pendingBytes);
        if (late != null) {
            end(late);
            return;
        }
        if (liveness.isGreeted()) {
            write(
                    Header.newBuilder().setPing(Ping.getDefaultInstance()),
                    Payload.EMPTY,
                    FrameChannel::nothing);
        }
        if (!isEnded) {
            owner.ticked();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (isEnded) {
            ctx.close(); // before it was connected
            return;
        }
        timer = loop.schedule(timing.tickNanos(), this::tick);
        if (!isTls) {
            owner.opened();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake && !isEnded) {
            if (handshake.isSuccess()) {
                owner.opened();
            } else {
                end(WireReason.of(handshake.cause()));
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object received) {
        ByteBuf buffer = (ByteBuf) received;
        liveness.received();
        if (isEnded || isEnding) {
            buffer.release();
        } else {
            reader.add(buffer);
            read();
        }
    }

    private void read() {
        if (isReading) {
            return;
        }
        isReading = true;
        try {
            readFrames();
        } catch (WireException e) {
            end(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            Uncaught.report("connection of a brick", e);
            end("internal error");
        } finally {
            isReading = false;
        }
    }

    private void readFrames() {
        while (!isPaused && !isEnding && !isEnded) {
            Frame frame = reader.next();
            if (frame == null) {
                return;
            }
            owner.received(frame);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        end("closed by the other side");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        end(WireReason.of(cause));
    }
}
