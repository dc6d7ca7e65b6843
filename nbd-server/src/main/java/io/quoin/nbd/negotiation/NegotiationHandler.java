package io.quoin.nbd.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.ScheduledFuture;
import io.quoin.block.Invariant;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.peer.PeerLog;
import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.transmission.Session;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection in its handshake: frames of the wire, in order.
 *
 * <pre>
 *  CLIENT_FLAGS -> OPTION_HEADER -> OPTION_DATA    -> ANSWERING -> OPTION_HEADER ...
 *                                -> SKIPPED_DATA   -> ANSWERING
 *                                                     ANSWERING -> TRANSMISSION
 *  any -> ENDED
 * </pre>
 *
 * Nothing is parsed while an option is being answered, so replies never mix.
 *
 * <p>Threading: confined(loop) of the channel.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
public final class NegotiationHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(NegotiationHandler.class);

    /** Data of an option that is kept to be looked at; more is passed over. */
    private static final int DATA_BYTES_MAX = 256 << 10;

    /** Longer data is not even passed over. */
    private static final long SKIPPED_BYTES_MAX = 32L << 20;

    private static final int OPTIONS_MAX = 10_000;

    /** Options answered before others on the loop have their turn. */
    private static final int OPTIONS_PER_TURN = 16;

    /** Options of one client that are answered as fast as they come: all that any program needs. */
    private static final int OPTIONS_AT_ONCE = 256;

    /** How long each turn of a client waits that has sent more. */
    private static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final ExportCatalogue catalogue;
    private final Loop loop;
    private final Peer peer;
    private final Duration timeout;
    private final Handover handover;
    private State state = State.CLIENT_FLAGS;
    private ByteBuf received = Unpooled.EMPTY_BUFFER;
    private int option;
    private int options;
    private int optionsOfTurn;
    private boolean isTurnAwaited;
    private long lengthBytes;
    private long skipBytes;
    private boolean isFixedNewstyle;
    private volatile boolean isShuttingDown;
    private @Nullable ScheduledFuture<?> deadline;
    private @Nullable ChannelHandlerContext context;
    private @Nullable OptionAnswers answers;

    /**
     * @param loop that the channel is on during the handshake
     * @param timeout after which a client is dropped that has not finished it
     */
    public NegotiationHandler(
            ExportCatalogue catalogue, Loop loop, Peer peer, Duration timeout, Handover handover) {
        this.catalogue = catalogue;
        this.loop = loop;
        this.peer = peer;
        this.timeout = timeout;
        this.handover = handover;
    }

    /**
     * The client.
     *
     * @param name of it, not chosen by it
     * @param log where to tell what it brings about
     */
    public record Peer(String name, PeerLog log) {}

    private enum State {
        CLIENT_FLAGS,
        OPTION_HEADER,
        OPTION_DATA,
        SKIPPED_DATA,
        /** An option is being answered, perhaps by opening a disk. Nothing is read. */
        ANSWERING,
        /** The channel belongs to the transmission. */
        TRANSMISSION,
        ENDED
    }

    @Override
    public void channelActive(ChannelHandlerContext newContext) {
        context = newContext;
        answers = new OptionAnswers(newContext, catalogue, peer, this::answered, this::enter);
        deadline =
                newContext
                        .channel()
                        .eventLoop()
                        .schedule(this::timedOut, timeout.toNanos(), TimeUnit.NANOSECONDS);
        new OptionReplies(newContext).greet();
    }

    @Override
    public void channelRead(ChannelHandlerContext unused, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (state == State.ENDED) {
            bytes.release();
            return;
        }
        if (received.isReadable()) {
            // Bounded: nothing is asked for while an option is answered (a peer that closes has
            // what is in the socket's buffer read), and an option's kept data has a limit.
            received.discardSomeReadBytes();
            received.writeBytes(bytes);
            bytes.release();
        } else {
            received.release();
            received = bytes;
        }
        if (state != State.TRANSMISSION) {
            parse();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext unused) {
        if (state != State.ENDED && state != State.TRANSMISSION) {
            context().flush();
        }
        pace();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext unused) {
        if (answers != null) {
            answers.proceed();
        }
        parse();
        pace();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext unused, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            end();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext unused) {
        end();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext unused, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("connection broken in its handshake: cause={}", cause.toString());
        } else {
            LOG.error("handshake failed", cause);
        }
        end();
    }

    /** Options get ERR_SHUTDOWN from now on; a client that is not amid one is disconnected. */
    public void beginShutdown() {
        isShuttingDown = true;
        if (answers != null) {
            answers.shutDown();
        }
        boolean isBetween = state == State.CLIENT_FLAGS || state == State.OPTION_HEADER;
        if (isBetween && !received.isReadable()) {
            end();
        }
    }

    /** Closes the channel. */
    public void abort() {
        if (context != null && state != State.TRANSMISSION) {
            end();
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "handshake before its channel");
    }

    private OptionAnswers answers() {
        return Objects.requireNonNull(answers, "handshake before its channel");
    }

    private void timedOut() {
        if (state != State.TRANSMISSION && state != State.ENDED) {
            LOG.debug("handshake not finished in time: state={}, limit={}", state, timeout);
            end();
        }
    }

    /** Reads on only while there is nothing else to do first. */
    private void pace() {
        if (state == State.TRANSMISSION || state == State.ENDED) {
            return;
        }
        boolean wanted =
                state != State.ANSWERING && !isTurnAwaited && context().channel().isWritable();
        context().channel().config().setAutoRead(wanted);
    }

    private void parse() {
        boolean isMoving = !isTurnAwaited;
        while (isMoving && context().channel().isWritable()) {
            if (state == State.OPTION_HEADER && optionsOfTurn >= OPTIONS_PER_TURN) {
                isTurnAwaited = true;
                if (options > OPTIONS_AT_ONCE) {
                    loop.schedule(PACE_NANOS, this::nextTurn);
                } else {
                    loop.giveWay(this::nextTurn);
                }
                return;
            }
            isMoving =
                    switch (state) {
                        case CLIENT_FLAGS -> clientFlags();
                        case OPTION_HEADER -> optionHeader();
                        case OPTION_DATA -> optionData();
                        case SKIPPED_DATA -> skippedData();
                        case ANSWERING, TRANSMISSION, ENDED -> false;
                    };
        }
    }

    private void nextTurn() {
        isTurnAwaited = false;
        optionsOfTurn = 0;
        if (state != State.ENDED && state != State.TRANSMISSION) {
            parse();
            if (state != State.TRANSMISSION) {
                context().flush();
            }
            pace();
        }
    }

    private boolean clientFlags() {
        if (received.readableBytes() < Handshake.CLIENT_FLAGS_BYTES) {
            return false;
        }
        int flags = received.readInt();
        if ((flags & ~(Handshake.FLAG_FIXED_NEWSTYLE | Handshake.FLAG_NO_ZEROES)) != 0) {
            LOG.debug("unknown client flags: flags={}", Integer.toHexString(flags));
            return end();
        }
        isFixedNewstyle = (flags & Handshake.FLAG_FIXED_NEWSTYLE) != 0;
        answers().noZeroes((flags & Handshake.FLAG_NO_ZEROES) != 0);
        state = State.OPTION_HEADER;
        return true;
    }

    private boolean optionHeader() {
        if (received.readableBytes() < Handshake.OPTION_HEADER_BYTES) {
            return false;
        }
        long magic = received.readLong();
        option = received.readInt();
        lengthBytes = received.readUnsignedInt();
        options++;
        optionsOfTurn++;
        boolean isNameTooLong =
                option == NbdOption.EXPORT_NAME && lengthBytes > Handshake.STRING_BYTES_MAX;
        boolean isUnexpected = !isFixedNewstyle && option != NbdOption.EXPORT_NAME;
        if (magic != Handshake.IHAVEOPT
                || lengthBytes > SKIPPED_BYTES_MAX
                || options > OPTIONS_MAX
                || isNameTooLong
                || isUnexpected) {
            LOG.debug(
                    "option refused: option={}, length={}",
                    NbdOption.toString(option),
                    lengthBytes);
            return end();
        }
        if (OptionAnswers.readsData(option) && lengthBytes <= DATA_BYTES_MAX && !isShuttingDown) {
            state = State.OPTION_DATA;
        } else {
            skipBytes = lengthBytes;
            state = State.SKIPPED_DATA;
        }
        return true;
    }

    private boolean optionData() {
        if (received.readableBytes() < lengthBytes) {
            return false;
        }
        ByteBuf data = received.readSlice((int) lengthBytes);
        state = State.ANSWERING;
        answers().answer(option, data);
        return state != State.ANSWERING;
    }

    private boolean skippedData() {
        int part = (int) Math.min(skipBytes, received.readableBytes());
        received.skipBytes(part);
        skipBytes -= part;
        if (skipBytes > 0) {
            return false;
        }
        state = State.ANSWERING;
        answers().answerSkipped(option, lengthBytes);
        return state != State.ANSWERING;
    }

    /** The option has its answer; possibly called before {@code answer} returns. */
    private void answered(boolean goesOn) {
        if (state == State.ENDED) {
            return;
        }
        Invariant.check(state == State.ANSWERING, "option answered more than once");
        state = State.OPTION_HEADER;
        if (!goesOn || (isShuttingDown && !received.isReadable())) {
            closeAfterFlush();
            return;
        }
        if (answers().wasDeferred()) {
            context().flush();
            parse();
            context().flush();
            pace();
        }
    }

    private void closeAfterFlush() {
        state = State.ENDED;
        stop();
        context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        handover.ended();
    }

    private void enter(Session session, Runnable answer) {
        Invariant.check(state == State.ANSWERING, "transmission from nowhere");
        state = State.TRANSMISSION;
        context().channel().config().setAutoRead(false);
        stopWaiting();
        handover.enter(context(), session, this::takeReceived, answer);
    }

    private ByteBuf takeReceived() {
        ByteBuf leftover = received;
        received = Unpooled.EMPTY_BUFFER;
        return leftover;
    }

    private boolean end() {
        if (state != State.ENDED && state != State.TRANSMISSION) {
            state = State.ENDED;
            stop();
            context().close();
            handover.ended();
        }
        return false;
    }

    private void stop() {
        received.release();
        received = Unpooled.EMPTY_BUFFER;
        stopWaiting();
    }

    private void stopWaiting() {
        if (answers != null) {
            answers.end();
        }
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
