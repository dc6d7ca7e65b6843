package io.quoin.nbd.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.quoin.nbd.transmission.Session;
import java.util.function.Supplier;

/**
 * What takes a connection over when its handshake is done, and hears when it ended before that.
 *
 * <p>Threading: confined(loop), the one that the channel is registered on at the time.
 */
public interface Handover {
    /**
     * The transmission begins: the callee moves the channel, which does not read, to the export's
     * loop, has the last answer of the handshake sent, and replaces the handler.
     *
     * @param handshake the context of the handler to replace
     * @param leftover gives the bytes received behind the handshake, once, when the handler is
     *     about to be replaced; they are the callee's to release
     * @param answer writes the last answer of the handshake
     */
    void enter(
            ChannelHandlerContext handshake,
            Session session,
            Supplier<ByteBuf> leftover,
            Runnable answer);

    /** The connection ended in its handshake. */
    void ended();
}
