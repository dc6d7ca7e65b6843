package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Answer;
import io.quoin.replicate.wire.message.Call;
import io.quoin.replicate.wire.message.FileReply;
import io.quoin.replicate.wire.message.Header;
import io.quoin.xlator.loop.NettyLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * The client's end of one connection.
 *
 * <p>Threading: confined to the link's loop.
 */
final class ClientConnection implements FrameChannel.Owner {
    /** What may wait to be taken by the socket. */
    static final long PENDING_BYTES_MAX = 64L << 20;

    /** What the link does with what is told. */
    interface Link {
        void up(BrickIdentity identity);

        /** Once in a while, as long as it is up. */
        void stillUp();

        void received(UUID file, Reply reply);

        void ended(String reason);
    }

    private record PendingCall(
            Consumer<Answer> answer, Consumer<BlockException> failure, long lastTick) {}

    private final UUID volume;
    private final int index;
    private final WireTiming timing;
    private final Link link;
    private final FrameChannel channel;
    private final Map<UUID, SessionKey> sessions = new HashMap<>();
    private final Map<Long, PendingCall> calls = new LinkedHashMap<>();
    private long lastCall;
    private long tick;
    private boolean isUp;

    ClientConnection(NettyLoop loop, WireOptions options, UUID volume, int index, Link link) {
        this.volume = volume;
        this.index = index;
        this.timing = options.timing();
        this.link = link;
        this.channel = new FrameChannel(loop, timing, options.tls() != null, this);
    }

    FrameChannel channel() {
        return channel;
    }

    boolean isUp() {
        return isUp;
    }

    /**
     * Sends, if all of the request's session was: one that began on another connection has lost
     * messages.
     */
    void send(UUID file, Request request) {
        SessionKey session = SessionKey.of(request);
        if (SessionKey.isBegunBy(request)) {
            sessions.put(file, session);
        } else if (!session.equals(sessions.get(file))) {
            return;
        }
        channel.send(
                Header.newBuilder().setRequest(RequestCodec.toMessage(file, request)),
                RequestCodec.payload(request),
                () -> {}); // the gateway gives it back, once the brick has answered
        if (channel.pendingBytes() > PENDING_BYTES_MAX) {
            channel.end("takes too little of what is sent: pendingBytes=" + channel.pendingBytes());
        }
    }

    void call(Call.Builder call, Consumer<Answer> answer, Consumer<BlockException> failure) {
        long id = ++lastCall;
        calls.put(id, new PendingCall(answer, failure, tick + timing.callMax()));
        channel.send(Header.newBuilder().setCall(call.setId(id)));
    }

    @Override
    public void opened() {
        channel.send(Header.newBuilder().setClientHello(IdentityCodec.hello(volume, index)));
    }

    @Override
    public void received(Frame frame) {
        Header header = frame.header();
        if (!isUp) {
            greet(header);
            return;
        }
        switch (header.getMessageCase()) {
            case REPLY -> reply(header.getReply(), frame.payload());
            case ANSWER -> answer(header.getAnswer());
            case NOTICE -> {
                if (header.getNotice().hasStopping()) {
                    channel.end("the brick is being stopped");
                }
            }
            case PING, MESSAGE_NOT_SET -> {}
            default ->
                    throw new WireException(
                            "illegal message from a brick: " + header.getMessageCase());
        }
    }

    private void greet(Header header) {
        switch (header.getMessageCase()) {
            case SERVER_HELLO -> {
                BrickIdentity identity =
                        IdentityCodec.identity(header.getServerHello(), volume, index);
                isUp = true;
                channel.greeted();
                link.up(identity);
            }
            case REFUSAL ->
                    channel.end("refused: " + WireReason.shown(header.getRefusal().getMessage()));
            default ->
                    throw new WireException(
                            "illegal first message: "
                                    + header.getMessageCase()
                                    + ", expected=hello");
        }
    }

    private void reply(FileReply message, Payload payload) {
        link.received(
                UuidCodec.fromMessage(message.getFile()), ReplyCodec.fromMessage(message, payload));
    }

    private void answer(Answer answer) {
        PendingCall call = calls.remove(answer.getId());
        if (call != null) {
            call.answer.accept(answer);
        }
    }

    @Override
    public void drained() {
        // Nothing waits for it: what is sent goes into the same queue.
    }

    @Override
    public void ticked() {
        tick++;
        List<PendingCall> late = new ArrayList<>();
        calls.values().removeIf(call -> call.lastTick < tick && late.add(call));
        if (isUp) {
            link.stillUp();
        }
        BlockException failure =
                new BlockException(BlockError.ETIMEDOUT, "no answer from the brick in time");
        late.forEach(call -> call.failure.accept(failure));
    }

    @Override
    public void ended(String reason) {
        List<PendingCall> unanswered = new ArrayList<>(calls.values());
        calls.clear();
        link.ended(reason);
        BlockException failure =
                new BlockException(
                        BlockError.ENOTCONN, "connection to the brick lost: reason=" + reason);
        unanswered.forEach(call -> call.failure.accept(failure));
    }
}
