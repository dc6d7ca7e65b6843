package io.quoin.replicate.wire;

import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Answer;
import io.quoin.replicate.wire.message.Call;
import io.quoin.replicate.wire.message.ClientHello;
import io.quoin.replicate.wire.message.FileRequest;
import io.quoin.replicate.wire.message.Header;
import io.quoin.replicate.wire.message.Nothing;
import io.quoin.replicate.wire.message.Notice;
import io.quoin.replicate.wire.message.Refusal;
import io.quoin.xlator.loop.NettyLoop;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/**
 * The server's end of one connection. While its requests and the answers that the client has not
 * taken use more memory than it is allowed, nothing is read.
 *
 * <p>Threading: confined to the server's loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // answers go out by themselves
final class ServerConnection implements FrameChannel.Owner {
    /** What a call without an answer counts as. */
    private static final long CALL_BYTES = 4096;

    private final NettyLoop loop;
    private final ServedBrick brick;
    private final LongSupplier allowedBytes;
    private final BiConsumer<ServerConnection, String> whenEnded;
    private final FrameChannel channel;
    private final InFlight inFlight = new InFlight();
    private int calls;
    private boolean isGreeted;
    private boolean isPaused;
    private boolean isStopping;

    /**
     * @param allowedBytes how much memory it may use now
     * @param whenEnded hears of its end, once
     */
    ServerConnection(
            NettyLoop loop,
            ServedBrick brick,
            WireOptions options,
            LongSupplier allowedBytes,
            BiConsumer<ServerConnection, String> whenEnded) {
        this.loop = loop;
        this.brick = brick;
        this.allowedBytes = allowedBytes;
        this.whenEnded = whenEnded;
        this.channel = new FrameChannel(loop, options.timing(), options.tls() != null, this);
    }

    FrameChannel channel() {
        return channel;
    }

    boolean isGreeted() {
        return isGreeted;
    }

    /** Takes no further request, answers those that it has, says so and ends. */
    void stop() {
        isStopping = true;
        if (isGreeted) {
            sayGoodbye();
        } else {
            channel.end("stopped");
        }
    }

    private void sayGoodbye() {
        if (isStopping && inFlight.bytes() == 0 && calls == 0) {
            channel.send(
                    Header.newBuilder()
                            .setNotice(
                                    Notice.newBuilder().setStopping(Nothing.getDefaultInstance())));
            channel.endBehind();
        }
    }

    @Override
    public void opened() {
        // The client speaks first.
    }

    @Override
    public void received(Frame frame) {
        Header header = frame.header();
        if (!isGreeted) {
            greet(header);
            return;
        }
        switch (header.getMessageCase()) {
            case REQUEST -> request(header.getRequest(), frame.payload());
            case CALL -> call(header.getCall());
            case PING, NOTICE, MESSAGE_NOT_SET -> {}
            default ->
                    throw new WireException(
                            "illegal message from a client: " + header.getMessageCase());
        }
    }

    private void greet(Header header) {
        if (!header.hasClientHello()) {
            throw new WireException(
                    "illegal first message: " + header.getMessageCase() + ", expected=hello");
        }
        ClientHello hello = header.getClientHello();
        String refusal = IdentityCodec.refusal(hello, brick.identity());
        if (refusal != null) {
            channel.send(Header.newBuilder().setRefusal(Refusal.newBuilder().setMessage(refusal)));
            channel.endBehind();
            return;
        }
        isGreeted = true;
        channel.greeted();
        channel.send(
                Header.newBuilder().setServerHello(IdentityCodec.answer(hello, brick.identity())));
    }

    private void request(FileRequest message, byte[] payload) {
        UUID file = UuidCodec.fromMessage(message.getFile());
        Request request = RequestCodec.fromMessage(message, payload);
        if (isStopping) {
            return;
        }
        inFlight.add(file, request);
        brick.receive(file, request, reply -> answer(file, reply));
        adjust();
    }

    private void answer(UUID file, Reply reply) {
        if (channel.isEnded()) {
            return;
        }
        inFlight.answered(file, reply);
        channel.send(
                Header.newBuilder().setReply(ReplyCodec.toMessage(file, reply)),
                ReplyCodec.payload(reply));
        sayGoodbye();
        adjust();
    }

    private void call(Call call) {
        if (isStopping) {
            return;
        }
        calls++;
        if (call.hasDelete()) {
            inFlight.forget(UuidCodec.fromMessage(call.getDelete()));
        }
        CallCodec.carryOut(call, brick)
                .whenComplete(
                        (answer, failure) ->
                                loop.execute(
                                        () ->
                                                answer(
                                                        call.getId(),
                                                        failure == null
                                                                ? answer
                                                                : CallCodec.failure(failure))));
        adjust();
    }

    private void answer(long id, Answer.Builder answer) {
        calls--;
        channel.send(Header.newBuilder().setAnswer(answer.setId(id)));
        sayGoodbye();
        adjust();
    }

    @Override
    public void drained() {
        adjust();
    }

    @Override
    public void ticked() {
        adjust();
    }

    /** Stops or goes on reading. */
    private void adjust() {
        long usedBytes = inFlight.bytes() + channel.pendingBytes() + calls * CALL_BYTES;
        long allowed = allowedBytes.getAsLong();
        if (!isPaused && usedBytes > allowed) {
            isPaused = true;
            channel.pause();
        } else if (isPaused && usedBytes <= allowed / 2) {
            isPaused = false;
            channel.resume();
        }
    }

    @Override
    public void ended(String reason) {
        whenEnded.accept(this, reason);
    }
}
