package io.quoin.management.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one connection, on the server's side: Netty's codec over channels that block. It
 * bounds a request line, the headers and the body.
 *
 * <p>Threading: confined to its thread.
 */
public final class HttpConnection implements AutoCloseable {
    private static final int BODY_BYTES_MAX = 1 << 16;
    private static final int CHUNK_BYTES = 8192;

    private final ReadableByteChannel in;
    private final WritableByteChannel out;
    private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    private final EmbeddedChannel codec = new EmbeddedChannel();

    public HttpConnection(ReadableByteChannel in, WritableByteChannel out) {
        this.in = in;
        this.out = out;
        codec.config().setAllocator(UnpooledByteBufAllocator.DEFAULT);
        codec.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(BODY_BYTES_MAX));
    }

    /** The next request; null at the end of the stream. */
    public @Nullable HttpCall receive() throws IOException {
        while (true) {
            Object message = codec.readInbound();
            if (message instanceof FullHttpRequest request) {
                try {
                    return callOf(request);
                } finally {
                    request.release();
                }
            }
            // After a body that is too large the codec has answered and closed.
            if (!codec.isOpen() || in.read(chunk.clear()) < 0) {
                return null;
            }
            codec.writeInbound(Unpooled.copiedBuffer(chunk.flip()));
            sendEncoded();
        }
    }

    private static HttpCall callOf(FullHttpRequest request) {
        byte[] body = new byte[request.content().readableBytes()];
        request.content().readBytes(body);
        boolean isWhole = request.decoderResult().isSuccess();
        return new HttpCall(
                request.method().name(),
                request.uri(),
                request.headers().get(HttpHeaderNames.AUTHORIZATION),
                body,
                isWhole && HttpUtil.isKeepAlive(request),
                isWhole ? null : String.valueOf(request.decoderResult().cause().getMessage()));
    }

    /**
     * Sends an answer.
     *
     * @param keepsAlive whether another request may follow
     */
    public void send(HttpAnswer answer, boolean keepsAlive) throws IOException {
        FullHttpResponse response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        HttpResponseStatus.valueOf(answer.status()),
                        Unpooled.wrappedBuffer(answer.bytes()));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        String location = answer.location();
        if (location != null) {
            response.headers().set(HttpHeaderNames.LOCATION, location);
        }
        if (!keepsAlive) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        codec.writeOutbound(response);
        sendEncoded();
    }

    private void sendEncoded() throws IOException {
        Object encoded = codec.readOutbound();
        while (encoded != null) {
            if (encoded instanceof ByteBuf bytes) {
                try {
                    for (ByteBuffer buffer : bytes.nioBuffers()) {
                        while (buffer.hasRemaining()) {
                            out.write(buffer);
                        }
                    }
                } finally {
                    bytes.release();
                }
            }
            encoded = codec.readOutbound();
        }
    }

    /** Frees what the codec holds; the channels are their owner's. */
    @Override
    public void close() {
        codec.finishAndReleaseAll();
    }
}
