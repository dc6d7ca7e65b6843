package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.block.IoRequest;
import io.quoin.block.ring.DiskRing;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection in the transmission phase. One batch: what was received is parsed, offered to the
 * ring, the ring is drained, and what was answered is sent.
 *
 * <p>It ends in this order: nothing more is read, what was taken up is answered, the answers are
 * sent, the channel is closed, and the export is let go of. A channel that dies first changes only
 * that the answers are dropped.
 *
 * <p>Threading: confined(loop) of the export; {@link #inFlight} and {@link #requests} are
 * thread-safe.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
public final class TransmissionHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(TransmissionHandler.class);
    private static final long IDLE_SECONDS = 1;

    /** How long a client may take to take the last answers after it said goodbye. */
    private static final long LINGER_SECONDS = 10;

    private final Session session;
    private final Loop loop;
    private final MemoryBudget budget;
    private final BufferPool buffers;
    private final Limits limits;
    private final ReceiveSource source;
    private final ByteBuf leftover;
    private final Runnable ended;
    private final LoopShare share;
    private final Turn turn;
    private final StallWatch stalls;
    private final Runnable resumeTask = this::resume;
    private final Runnable flushTask = this::flushLater;
    private final Runnable idleTask = this::checkIdle;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicLong requests = new AtomicLong();

    private @Nullable Wired wired;
    private boolean isBatch;

    /** It used its last turn up: the next begins when the others have had theirs. */
    private boolean isGreedy;

    private boolean isStalled;
    private boolean isResumeScheduled;
    private boolean isFlushScheduled;
    private boolean isReadSinceIdleCheck;
    private boolean isIdleWatched;
    private boolean isInputEnded;
    private boolean isShuttingDown;
    private boolean isFlushing;
    private boolean isClosing;
    private boolean isChannelGone;
    private boolean isEnded;
    private Loop.@Nullable Timer linger;

    /**
     * The parts that need the channel.
     *
     * @param context the handler's own
     */
    private record Wired(
            ChannelHandlerContext context,
            MemoryShare payloads,
            MemoryShare answers,
            Receiver receiver,
            Replies replies,
            Dispatcher dispatcher,
            RequestReader reader) {
        long chargedBytes() {
            return payloads.chargedBytes() + answers.chargedBytes();
        }
    }

    /**
     * Limits of one connection.
     *
     * @param requestsMax requests taken up and not answered
     * @param bytesMax their payload, and as much again of answers not taken by the client
     * @param stallTimeout how long it may stop in the middle of a request, or take no answers while
     *     others wait for the memory
     */
    public record Limits(int requestsMax, long bytesMax, Duration stallTimeout) {}

    /**
     * Takes a connection over.
     *
     * @param leftover bytes that were received behind the handshake; released here
     * @param source where the channel gets its receive buffers from
     * @param ended run on the loop when everything of the connection is over
     */
    public TransmissionHandler(
            Session session,
            MemoryBudget budget,
            BufferPool buffers,
            LoopShares shares,
            Limits limits,
            ReceiveSource source,
            ByteBuf leftover,
            Runnable ended) {
        this.session = session;
        this.loop = session.export().loop();
        this.share = shares.of(loop);
        this.turn = new Turn(share);
        this.budget = budget;
        this.buffers = buffers;
        this.limits = limits;
        this.source = source;
        this.leftover = leftover;
        this.ended = ended;
        this.stalls = new StallWatch(limits.stallTimeout());
    }

    /** Requests received and not answered. */
    public int inFlight() {
        return inFlight.get();
    }

    /** Requests received so far. */
    public long requests() {
        return requests.get();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        Receiver receiver = new Receiver(context.alloc());
        buffers.keepChunk();
        MemoryShare payloads = new MemoryShare(budget.payloads(), limits.bytesMax());
        MemoryShare answers = new MemoryShare(budget.answers(), limits.bytesMax());
        Replies replies = new Replies(context, answers, this::progress);
        Dispatcher dispatcher =
                new Dispatcher(
                        session,
                        context.alloc(),
                        payloads,
                        answers,
                        replies,
                        receiver,
                        turn,
                        limits.requestsMax(),
                        this::progress);
        RequestReader reader =
                new RequestReader(receiver, dispatcher, new RequestRules(session), turn);
        wired = new Wired(context, payloads, answers, receiver, replies, dispatcher, reader);
        source.receiveInto(receiver::target);
        if (leftover.isReadable()) {
            receiver.preload(leftover);
        }
        leftover.release();
        if (!context.channel().isActive()) {
            channelInactive(context);
            return;
        }
        // The end of the input may have come while the channel moved here. Asking such a channel
        // for more fails in epoll.
        isInputEnded =
                context.channel() instanceof DuplexChannel duplex && duplex.isInputShutdown();
        batch();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // The receiver keeps the buffer; this reference was the channel's.
        ((ByteBuf) message).release();
        isReadSinceIdleCheck = true;
        if (isGreedy && !isBatch) {
            context.channel().config().setAutoRead(false);
            return;
        }
        beginTurn();
        Wired parts = wired();
        parts.dispatcher.pump();
        parts.reader.read();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (isGreedy && !isBatch) {
            scheduleResume();
        } else {
            batch();
        }
        watchIdle();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            isInputEnded = true;
            batch();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (isChannelGone) {
            return;
        }
        isChannelGone = true;
        isInputEnded = true;
        abandonAnswers();
        batch();
    }

    /** Nothing more reaches the client. What it asked to be changed is carried out, even so. */
    private void abandonAnswers() {
        Wired parts = wired();
        parts.replies.close();
        parts.dispatcher.abandonReads();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException) {
            // Reading or writing failed; the end of the input follows and ends the connection, but
            // what it had sent before may be gigabytes of reads.
            LOG.debug("connection broken: export={}, cause={}", exportName(), cause.toString());
            abandonAnswers();
            scheduleResume();
        } else {
            LOG.error("connection failed: export={}", exportName(), cause);
            context.close();
        }
    }

    /** New requests get ESHUTDOWN; once all others are answered and flushed, it is closed. */
    public void beginShutdown() {
        isShuttingDown = true;
        wired().reader.shutDown();
        batch();
    }

    /**
     * Takes up no more requests; once those that were are answered, it is closed. A client that
     * connects again sends what it has no answer for again.
     */
    public void disconnect() {
        wired().reader.end();
        batch();
    }

    /** Closes the channel whatever is not sent; requests in flight still end in their own time. */
    public void abort() {
        wired().context.close();
    }

    private Wired wired() {
        return Objects.requireNonNull(wired, "transmission before its channel");
    }

    private void beginTurn() {
        if (!isBatch) {
            isBatch = true;
            turn.beginArrived();
        }
    }

    private void batch() {
        if (isEnded) {
            return;
        }
        Wired parts = wired();
        beginTurn();
        parts.dispatcher.pump();
        isStalled = !parts.reader.read();
        long chargedBytes = parts.chargedBytes();
        parts.dispatcher.drain();
        isBatch = false;
        turn.end();
        isGreedy = turn.isOver();
        parts.replies.flush();
        afterBatch(parts, parts.chargedBytes() < chargedBytes);
    }

    /** What follows from what was answered, of this batch or of an earlier one. */
    private void afterBatch(Wired parts, boolean isMemoryFreed) {
        boolean awaitsMemory = parts.reader.state() == RequestReader.State.ADMISSION;
        boolean mayGoOn =
                isMemoryFreed
                        || turn.isOver()
                        || parts.dispatcher.hasRoomForStatus()
                        || (!awaitsMemory && !parts.dispatcher.isFull());
        if (isStalled && mayGoOn) {
            scheduleResume();
        }
        if (isInputEnded && !isStalled) {
            parts.reader.end();
        }
        inFlight.lazySet(parts.dispatcher.inFlight());
        requests.lazySet(parts.reader.requests());
        endIfDone(parts);
        boolean wantsBytes = !isStalled && !isInputEnded && !parts.reader.isOver();
        ChannelConfig config = parts.context.channel().config();
        if (!isChannelGone && config.isAutoRead() != wantsBytes) {
            config.setAutoRead(wantsBytes);
        }
    }

    /** Something was answered, or may go on. */
    private void progress() {
        if (isBatch || isEnded) {
            return;
        }
        if (isStalled) {
            scheduleResume();
        }
        if (!isFlushScheduled) {
            isFlushScheduled = true;
            loop.execute(flushTask);
        }
    }

    private void scheduleResume() {
        if (!isResumeScheduled) {
            isResumeScheduled = true;
            share.enterQueue();
            loop.giveWay(resumeTask);
        }
    }

    private void resume() {
        isResumeScheduled = false;
        share.leaveQueue();
        if (!isBatch && !isEnded) {
            isBatch = true;
            turn.beginQueued();
        }
        batch();
    }

    private void flushLater() {
        isFlushScheduled = false;
        if (!isEnded) {
            Wired parts = wired();
            long chargedBytes = parts.chargedBytes();
            parts.replies.flush();
            afterBatch(parts, parts.chargedBytes() < chargedBytes);
        }
    }

    private void endIfDone(Wired parts) {
        boolean isPoisoned = parts.reader.state() == RequestReader.State.POISONED;
        if (isPoisoned && !isClosing) {
            LOG.debug("connection out of step: export={}", exportName());
            isClosing = true;
            parts.context.close();
        }
        if (parts.dispatcher.inFlight() > 0 || isFlushing || isEnded) {
            return;
        }
        if (!parts.reader.isOver()) {
            if (isShuttingDown) {
                isFlushing = true;
                flushDisk();
            }
        } else if (isChannelGone) {
            end(parts);
        } else if (!isClosing) {
            isClosing = true;
            Runnable close = parts.context::close;
            linger = loop.schedule(TimeUnit.SECONDS.toNanos(LINGER_SECONDS), close);
            parts.replies.closeAfterFlush();
        }
    }

    private void flushDisk() {
        IoRequest flush = loop.requests().acquire().flush();
        flush.push(this::diskFlushed);
        offerFlush(flush);
    }

    private void offerFlush(IoRequest flush) {
        DiskRing ring = session.export().ring();
        if (ring.offer(flush)) {
            ring.drain();
        } else {
            ring.whenRoom(() -> loop.execute(() -> offerFlush(flush)));
        }
    }

    private void diskFlushed(IoRequest flush, BlockError error) {
        if (!loop.inLoop()) {
            loop.execute(() -> diskFlushed(flush, error));
            return;
        }
        loop.requests().release(flush);
        if (!error.isOk() && error != BlockError.ESHUTDOWN) {
            LOG.error("flush at shutdown failed: export={}, error={}", exportName(), error);
        }
        isFlushing = false;
        wired().reader.end();
        scheduleResume();
    }

    private void end(Wired parts) {
        isEnded = true;
        parts.receiver.close();
        Loop.Timer timer = linger;
        if (timer != null) {
            timer.cancel();
        }
        long chargedBytes = parts.chargedBytes() - parts.dispatcher.keptBytes();
        session.export().close().whenComplete((done, failure) -> loop.execute(ended));
        Invariant.check(chargedBytes == 0, "memory of a connection not given back");
    }

    private String exportName() {
        return session.export().name();
    }

    /**
     * Gives the slab of a connection back that was silent for a while, and drops a client that
     * holds something and does nothing.
     */
    private void watchIdle() {
        if (!isIdleWatched && !isEnded) {
            isIdleWatched = true;
            loop.schedule(TimeUnit.SECONDS.toNanos(IDLE_SECONDS), idleTask);
        }
    }

    private void checkIdle() {
        isIdleWatched = false;
        boolean wasBusy = isReadSinceIdleCheck;
        isReadSinceIdleCheck = false;
        if (isEnded) {
            return;
        }
        Wired parts = wired();
        long unsentBytes = isChannelGone ? 0 : parts.replies.unsentBytes();
        boolean isReading = parts.context.channel().config().isAutoRead();
        if (stalls.isRequestStalled(parts.reader, isReading, parts.payloads.isWantedByOthers())
                || stalls.isDeaf(unsentBytes, parts.answers.isWantedByOthers())) {
            LOG.debug("client stalled: export={}, unsent={}", exportName(), unsentBytes);
            parts.context.close();
            return;
        }
        boolean isHolding =
                parts.reader.isAmidRequest() || unsentBytes > 0 || parts.dispatcher.inFlight() > 0;
        if (wasBusy || !parts.receiver.releaseIdle() || isHolding) {
            watchIdle();
        }
    }
}
