package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.quoin.block.BlockError;
import io.quoin.nbd.protocol.RequestLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Takes requests out of what was received, in the order of the wire:
 *
 * <pre>
 *  HEADER -> (legal WRITE)   ADMISSION -> PAYLOAD -> HEADER
 *         -> (refused WRITE) SKIPPED_PAYLOAD -> HEADER
 *         -> (DISC)          ENDED
 *         -> (out of step)   POISONED
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class RequestReader {
    private final Receiver receiver;
    private final Dispatcher dispatcher;
    private final RequestRules rules;
    private final Turn turn;
    private State state = State.HEADER;
    private @Nullable Command command;
    private BlockError refusal = BlockError.OK;
    private long skipBytes;
    private boolean isShuttingDown;
    private long requests;

    RequestReader(Receiver receiver, Dispatcher dispatcher, RequestRules rules, Turn turn) {
        this.receiver = receiver;
        this.dispatcher = dispatcher;
        this.rules = rules;
        this.turn = turn;
    }

    /** Where in the stream it is. */
    enum State {
        /** 28 bytes of a request, or some of them. */
        HEADER,
        /** A WRITE waits until there may be memory for its payload. */
        ADMISSION,
        /** A WRITE's payload. */
        PAYLOAD,
        /** The payload of a WRITE that was refused. */
        SKIPPED_PAYLOAD,
        /** DISC was received: whatever follows is not looked at. */
        ENDED,
        /** The client is out of step with the protocol: nothing it sends means anything. */
        POISONED
    }

    State state() {
        return state;
    }

    /** Requests received so far. */
    long requests() {
        return requests;
    }

    /** From now on new requests are answered ESHUTDOWN. */
    void shutDown() {
        isShuttingDown = true;
    }

    /** Whether a request has begun to arrive that only more bytes can complete. */
    boolean isAmidRequest() {
        return state == State.PAYLOAD
                || state == State.SKIPPED_PAYLOAD
                || (state == State.HEADER && receiver.unparsedBytes() > 0);
    }

    /** The payload of the request that has begun to arrive. */
    long payloadBytes() {
        Command begun = command;
        return begun == null ? 0 : begun.lengthBytes;
    }

    /**
     * Takes all requests that are there and may be taken up now.
     *
     * @return whether only bytes from the client can make it go on
     */
    boolean read() {
        boolean isMoving = true;
        while (isMoving) {
            // What has begun to arrive is taken to its end: it holds memory until then.
            if (state == State.HEADER && (dispatcher.isFull() || turn.isOver())) {
                return false;
            }
            isMoving =
                    switch (state) {
                        case HEADER -> header();
                        case ADMISSION -> admission();
                        case PAYLOAD -> payload();
                        case SKIPPED_PAYLOAD -> skip();
                        case ENDED, POISONED -> {
                            receiver.skip(Long.MAX_VALUE);
                            yield false;
                        }
                    };
        }
        return state != State.ADMISSION;
    }

    /** Whether nothing that the client may still send counts. */
    boolean isOver() {
        return state == State.ENDED || state == State.POISONED;
    }

    /** The client will send no more: a request that is not complete never will be. */
    void end() {
        Command unfinished = command;
        command = null;
        if (unfinished != null) {
            dispatcher.forget(unfinished);
        }
        if (state != State.POISONED) {
            state = State.ENDED;
        }
    }

    private boolean header() {
        ByteBuf buffer = receiver.unparsed();
        if (buffer == null || buffer.readableBytes() < RequestLayout.BYTES) {
            return false;
        }
        int start = buffer.readerIndex();
        if (buffer.getInt(start) != RequestLayout.MAGIC) {
            state = State.POISONED;
            return false;
        }
        Command next = dispatcher.newCommand();
        next.begin(
                buffer.getUnsignedShort(start + RequestLayout.TYPE_OFFSET),
                buffer.getUnsignedShort(start + RequestLayout.FLAGS_OFFSET),
                buffer.getLong(start + RequestLayout.COOKIE_OFFSET),
                buffer.getLong(start + RequestLayout.OFFSET_OFFSET),
                buffer.getUnsignedInt(start + RequestLayout.LENGTH_OFFSET));
        buffer.skipBytes(RequestLayout.BYTES);
        requests++;
        turn.spend(next);
        if (next.type == RequestLayout.DISC) {
            state = State.ENDED;
            dispatcher.forget(next);
            return false;
        }
        BlockError error = isShuttingDown ? BlockError.ESHUTDOWN : rules.check(next);
        if (next.type == RequestLayout.WRITE) {
            beginWrite(next, error);
        } else if (error.isOk()) {
            dispatcher.start(next);
        } else {
            dispatcher.refuse(next, error);
        }
        return state != State.POISONED;
    }

    private void beginWrite(Command write, BlockError error) {
        if (write.lengthBytes > RequestLayout.SKIPPED_BYTES_MAX) {
            dispatcher.forget(write);
            state = State.POISONED;
        } else if (!error.isOk()) {
            command = write;
            refusal = error;
            skipBytes = write.lengthBytes;
            state = State.SKIPPED_PAYLOAD;
        } else if (write.lengthBytes == 0) {
            dispatcher.start(write);
        } else {
            command = write;
            state = State.ADMISSION;
        }
    }

    private boolean admission() {
        if (!dispatcher.admitPayload(pending())) {
            return false;
        }
        state = State.PAYLOAD;
        return true;
    }

    private boolean payload() {
        Command write = pending();
        if (!receiver.collect(write)) {
            return false;
        }
        command = null;
        state = State.HEADER;
        dispatcher.start(write);
        return true;
    }

    private boolean skip() {
        skipBytes -= receiver.skip(skipBytes);
        if (skipBytes > 0) {
            return false;
        }
        Command write = pending();
        command = null;
        state = State.HEADER;
        dispatcher.refuse(write, refusal);
        return true;
    }

    private Command pending() {
        return Objects.requireNonNull(command, "payload without a request");
    }
}
