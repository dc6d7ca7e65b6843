package io.quoin.replicate.wire;

import io.netty.buffer.Unpooled;
import io.quoin.replicate.wire.message.Header;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;

/** One end of a connection, of which a test says each byte. */
final class RawPeer implements AutoCloseable {
    private static final int LIMIT_MILLIS = 30_000;
    private static final int RECEIVE_BYTES = 4096;

    private final Socket socket;
    private final FrameReader reader = new FrameReader();

    private RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(LIMIT_MILLIS);
        reader.admit();
    }

    static RawPeer connect(BrickAddress address) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(RECEIVE_BYTES);
        socket.connect(new InetSocketAddress(address.host(), address.port()));
        return new RawPeer(socket);
    }

    static ServerSocket listen() throws IOException {
        ServerSocket server = new ServerSocket();
        server.setReceiveBufferSize(RECEIVE_BYTES);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        server.setSoTimeout(LIMIT_MILLIS);
        return server;
    }

    static BrickAddress address(ServerSocket server) {
        return new BrickAddress("127.0.0.1", server.getLocalPort());
    }

    static RawPeer accept(ServerSocket server) throws IOException {
        return new RawPeer(server.accept());
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    void send(Header.Builder header) throws IOException {
        send(Frames.of(header, new byte[0]));
    }

    /** As a client: says hello and awaits the answer. */
    RawPeer greet() throws IOException {
        send(Frames.hello(WireBed.VOLUME, WireBed.IDENTITY.index()));
        next(Header.MessageCase.SERVER_HELLO);
        return this;
    }

    /** As a brick: awaits the hello and answers it. */
    RawPeer answerHello() throws IOException {
        Frame hello = next(Header.MessageCase.CLIENT_HELLO);
        send(
                Header.newBuilder()
                        .setServerHello(
                                IdentityCodec.answer(
                                        hello.header().getClientHello().getVersionMax(),
                                        WireBed.IDENTITY)));
        return this;
    }

    /** The next frame of that kind; others are passed over. */
    Frame next(Header.MessageCase kind) throws IOException {
        while (true) {
            Frame frame = reader.next();
            if (frame == null) {
                byte[] bytes = new byte[RECEIVE_BYTES];
                int count = socket.getInputStream().read(bytes);
                if (count < 0) {
                    throw new IOException("closed, expected=" + kind);
                }
                reader.add(Unpooled.copiedBuffer(bytes, 0, count));
            } else if (frame.header().getMessageCase() == kind) {
                return frame;
            }
        }
    }

    /** Reads until the other side closes or resets. */
    void awaitEnd() throws IOException {
        byte[] bytes = new byte[1 << 16];
        try {
            while (socket.getInputStream().read(bytes) >= 0) {
                // Pings.
            }
        } catch (SocketException reset) {
            // As good.
        }
    }

    @Override
    public void close() throws IOException {
        reader.release();
        socket.close();
    }
}
