package io.quoin.management.daemon;

import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The control socket, which only its owner may open.
 *
 * <p>Threading: thread-safe.
 */
final class UnixListener implements ApiListener {
    private static final int BACKLOG = 1 << 12;

    private final Path path;
    private final ServerSocketChannel server;

    private UnixListener(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    static UnixListener bind(Path path) {
        SocketPath.clear(path);
        try {
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            SocketPath.reach(
                    path, reached -> server.bind(UnixDomainSocketAddress.of(reached), BACKLOG));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            return new UnixListener(path, server);
        } catch (IOException e) {
            throw Reason.failure("cannot listen on the control socket", NameText.of(path), e);
        }
    }

    @Override
    public String text() {
        return NameText.printable(NameText.of(path));
    }

    @Override
    public boolean isOpen() {
        return server.isOpen();
    }

    @Override
    public Accepted accept() throws IOException {
        return new Connection(server.accept());
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }

    private record Connection(SocketChannel channel) implements Accepted {
        @Override
        public ReadableByteChannel in() {
            return channel;
        }

        @Override
        public WritableByteChannel out() {
            return channel;
        }

        @Override
        public void endInput() throws IOException {
            channel.shutdownInput();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
