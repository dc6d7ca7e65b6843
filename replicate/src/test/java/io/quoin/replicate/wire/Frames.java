package io.quoin.replicate.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Header;
import java.util.UUID;

/** Frames as bytes. */
final class Frames {
    private Frames() {}

    static byte[] of(Header.Builder header, byte[] payload) {
        byte[] bytes = header.setPayloadCrc(FrameLayout.crc(payload)).build().toByteArray();
        return of(bytes, payload);
    }

    /** A header that may be anything, with the right CRC. */
    static byte[] of(byte[] header, byte[] payload) {
        ByteBuf out = Unpooled.buffer();
        FrameLayout.write(out, header, payload.length);
        out.writeBytes(payload);
        byte[] frame = new byte[out.readableBytes()];
        out.readBytes(frame);
        return frame;
    }

    static byte[] of(UUID file, Request request) {
        return of(
                Header.newBuilder().setRequest(RequestCodec.toMessage(file, request)),
                RequestCodec.payload(request).bytes());
    }

    static byte[] hello(UUID volume, int index) {
        return of(
                Header.newBuilder().setClientHello(IdentityCodec.hello(volume, index)),
                new byte[0]);
    }
}
