package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.http.ServerKey;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import javax.net.ssl.SSLServerSocket;

/**
 * A TCP address where the API is served over TLS 1.2 and later.
 *
 * <p>Threading: thread-safe.
 */
final class TlsListener implements ApiListener {
    private static final int BACKLOG = 64;

    private final ListenAddress address;
    private final SSLServerSocket server;

    private TlsListener(ListenAddress address, SSLServerSocket server) {
        this.address = address;
        this.server = server;
    }

    static TlsListener bind(ApiOptions options) {
        try {
            SSLServerSocket server =
                    (SSLServerSocket)
                            ServerKey.read(options.certificate(), options.key())
                                    .getServerSocketFactory()
                                    .createServerSocket();
            server.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
            server.bind(options.address().resolve(), BACKLOG);
            return new TlsListener(options.address().withPort(server.getLocalPort()), server);
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen for the API: address="
                            + options.address()
                            + ", reason="
                            + Reason.of(e),
                    e);
        }
    }

    @Override
    public String text() {
        return NameText.printable(address.toString());
    }

    @Override
    public boolean isOpen() {
        return !server.isClosed();
    }

    @Override
    public Accepted accept() throws IOException {
        try {
            Socket socket = server.accept();
            return new Connection(
                    socket,
                    Channels.newChannel(socket.getInputStream()),
                    Channels.newChannel(socket.getOutputStream()));
        } catch (SocketException e) {
            if (server.isClosed()) {
                throw new ClosedChannelException();
            }
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private record Connection(Socket socket, ReadableByteChannel in, WritableByteChannel out)
            implements Accepted {
        @Override
        public void endInput() throws IOException {
            socket.close(); // a half of TLS cannot be closed alone
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
