package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.wire.ClaimCodec.Wanted;
import io.quoin.replicate.wire.message.Header;
import io.quoin.xlator.loop.NettyLoop;
import java.util.concurrent.CompletableFuture;

/**
 * The client's end of a connection that claims a brick.
 *
 * <p>Threading: confined to its loop.
 */
final class ClaimConnection implements FrameChannel.Owner {
    private final BrickAddress address;
    private final WireTiming timing;
    private final Wanted wanted;
    private final CompletableFuture<BrickIdentity> claimed;
    private final FrameChannel channel;
    private long ticks;

    ClaimConnection(
            NettyLoop loop,
            BrickAddress address,
            WireOptions options,
            Wanted wanted,
            CompletableFuture<BrickIdentity> claimed) {
        this.address = address;
        this.timing = options.timing();
        this.wanted = wanted;
        this.claimed = claimed;
        this.channel = new FrameChannel(loop, timing, options.tls() != null, this);
    }

    FrameChannel channel() {
        return channel;
    }

    @Override
    public void opened() {
        channel.send(Header.newBuilder().setClaim(ClaimCodec.toMessage(wanted)));
        channel.waiting();
    }

    @Override
    public void received(Frame frame) {
        Header header = frame.header();
        switch (header.getMessageCase()) {
            case SERVER_HELLO -> {
                BrickIdentity identity =
                        IdentityCodec.identity(
                                header.getServerHello(), wanted.volume(), wanted.index());
                claimed.complete(identity);
                channel.end("claimed");
            }
            case ALREADY_CLAIMED ->
                    fail(
                            BlockError.EEXIST,
                            "brick is already claimed: address="
                                    + address
                                    + ", "
                                    + ClaimCodec.text(header.getAlreadyClaimed()));
            case REFUSAL ->
                    fail(
                            BlockError.ENOTCONN,
                            "brick cannot be claimed: address="
                                    + address
                                    + ", reason="
                                    + WireReason.shown(header.getRefusal().getMessage()));
            case PING, NOTICE, MESSAGE_NOT_SET -> {}
            default ->
                    throw new WireException(
                            "illegal message from a brick: " + header.getMessageCase());
        }
    }

    private void fail(BlockError error, String message) {
        claimed.completeExceptionally(new BlockException(error, message));
        channel.end(message);
    }

    @Override
    public void drained() {
        // Nothing else is sent.
    }

    @Override
    public void ticked() {
        if (++ticks > timing.callMax()) {
            fail(BlockError.ETIMEDOUT, "no answer to a claim in time: address=" + address);
        }
    }

    /** What has ended before is not told again. */
    @Override
    public void ended(String reason) {
        claimed.completeExceptionally(
                new BlockException(
                        BlockError.ENOTCONN,
                        "brick cannot be claimed: address=" + address + ", reason=" + reason));
    }
}
