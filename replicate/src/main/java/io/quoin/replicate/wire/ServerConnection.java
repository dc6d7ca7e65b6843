package io.quoin.replicate.wire;

import io.quoin.block.Reason;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Answer;
import io.quoin.replicate.wire.message.Call;
import io.quoin.replicate.wire.message.Claim;
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
import org.jspecify.annotations.Nullable;

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
    private final BrickSlot slot;
    private final LongSupplier allowedBytes;
    private final BiConsumer<ServerConnection, String> whenEnded;
    private final FrameChannel channel;
    private final InFlight inFlight = new InFlight();
    private @Nullable ServedBrick brick;
    private int calls;
    private boolean isClaim;
    private boolean isPaused;
    private boolean isStopping;

    /**
     * @param allowedBytes how much memory it may use now
     * @param whenEnded hears of its end, once
     */
    ServerConnection(
            NettyLoop loop,
            BrickSlot slot,
            WireOptions options,
            LongSupplier allowedBytes,
            BiConsumer<ServerConnection, String> whenEnded) {
        this.loop = loop;
        this.slot = slot;
        this.allowedBytes = allowedBytes;
        this.whenEnded = whenEnded;
        this.channel = new FrameChannel(loop, options.timing(), options.tls() != null, this);
    }

    FrameChannel channel() {
        return channel;
    }

    /** Whether a gateway is at the other end. */
    boolean isGreeted() {
        return brick != null;
    }

    /** Whether it was made for a claim. */
    boolean isClaim() {
        return isClaim;
    }

    /** Takes no further request, answers those that it has, says so and ends. */
    void stop() {
        isStopping = true;
        if (isGreeted()) {
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
        ServedBrick asked = brick;
        if (asked == null) {
            greet(header);
            return;
        }
        switch (header.getMessageCase()) {
            case REQUEST -> request(asked, header.getRequest(), frame.payload());
            case CALL -> call(asked, header.getCall());
            case PING, NOTICE, MESSAGE_NOT_SET -> {}
            default ->
                    throw new WireException(
                            "illegal message from a client: " + header.getMessageCase());
        }
    }

    private void greet(Header header) {
        boolean isExpected = !isClaim && (header.hasClientHello() || header.hasClaim());
        if (isClaim && header.hasPing()) {
            return;
        }
        if (!isExpected) {
            throw new WireException(
                    "illegal first message: " + header.getMessageCase() + ", expected=hello");
        }
        if (header.hasClaim()) {
            claim(header.getClaim());
        } else {
            greet(header.getClientHello());
        }
    }

    private void greet(ClientHello hello) {
        ServedBrick present = slot.brick();
        if (present == null) {
            refuse("no brick yet: its folder is empty and nothing has claimed it");
            return;
        }
        String refusal = IdentityCodec.refusal(hello, present.identity());
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        brick = present;
        channel.greeted();
        answer(hello.getVersionMax(), present);
    }

    private void answer(int versionMax, ServedBrick present) {
        channel.send(
                Header.newBuilder()
                        .setServerHello(IdentityCodec.answer(versionMax, present.identity())));
    }

    private void refuse(String reason) {
        channel.send(Header.newBuilder().setRefusal(Refusal.newBuilder().setMessage(reason)));
        channel.endBehind();
    }

    private void claim(Claim claim) {
        ClaimCodec.Wanted wanted = ClaimCodec.fromMessage(claim);
        String refusal =
                IdentityCodec.unknownVersions(claim.getVersionMin(), claim.getVersionMax());
        if (refusal == null) {
            refusal = ClaimCodec.refusal(wanted);
        }
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        isClaim = true;
        channel.waiting();
        slot.claim(wanted.volume(), wanted.index(), wanted.layout())
                .whenComplete(
                        (made, failure) ->
                                loop.execute(
                                        () -> {
                                            if (channel.isEnded()) {
                                                return;
                                            }
                                            if (failure != null) {
                                                refuse(Reason.of(failure));
                                            } else {
                                                claimed(claim, wanted, made);
                                            }
                                        }));
    }

    private void claimed(Claim claim, ClaimCodec.Wanted wanted, ServedBrick made) {
        if (wanted.is(made.identity())) {
            answer(claim.getVersionMax(), made);
        } else {
            channel.send(
                    Header.newBuilder().setAlreadyClaimed(ClaimCodec.toMessage(made.identity())));
        }
        channel.endBehind();
    }

    private void request(ServedBrick asked, FileRequest message, Payload payload) {
        UUID file = UuidCodec.fromMessage(message.getFile());
        Request request = RequestCodec.fromMessage(message, payload);
        if (isStopping) {
            return;
        }
        inFlight.add(file, request);
        asked.receive(file, request, reply -> answer(file, reply));
        adjust();
    }

    private void answer(UUID file, Reply reply) {
        if (channel.isEnded()) {
            return;
        }
        inFlight.answered(file, reply);
        Payload data = ReplyCodec.payload(reply);
        channel.send(
                Header.newBuilder().setReply(ReplyCodec.toMessage(file, reply)),
                data,
                data::release);
        sayGoodbye();
        adjust();
    }

    private void call(ServedBrick asked, Call call) {
        if (isStopping) {
            return;
        }
        calls++;
        if (call.hasDelete()) {
            inFlight.forget(UuidCodec.fromMessage(call.getDelete()));
        }
        CallCodec.carryOut(call, asked)
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
