package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A stream of this command as a socket, which the service connects to: it cannot have the command's
 * own. The socket lies in a new folder that others cannot enter.
 *
 * <p>Threading: confined to the main thread; the bytes go through a thread of its own.
 */
final class StreamPipe implements AutoCloseable {
    private static final int BUFFER_BYTES = 256 << 10;

    private final Path folder;
    private final Path socket;
    private final ServerSocketChannel server;
    private final CompletableFuture<Void> ended;

    /** Passes bytes on until there are no more. */
    private interface Passing {
        void through(SocketChannel channel) throws IOException;
    }

    /** What the service writes goes to {@code out}. */
    static StreamPipe to(OutputStream out) {
        return open(
                channel -> {
                    pass(Channels.newInputStream(channel), out);
                    out.flush();
                });
    }

    /** The service reads what comes from {@code in}. */
    static StreamPipe from(InputStream in) {
        return open(
                channel -> {
                    pass(in, Channels.newOutputStream(channel));
                    channel.shutdownOutput();
                });
    }

    private static void pass(InputStream in, OutputStream out) throws IOException {
        byte[] bytes = new byte[BUFFER_BYTES];
        for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
            out.write(bytes, 0, count);
        }
    }

    private static StreamPipe open(Passing passing) {
        try {
            return new StreamPipe(Files.createTempDirectory("quoin-"), passing);
        } catch (IOException e) {
            throw new BlockException(
                    Reason.errorOf(e), "cannot listen for the service: reason=" + Reason.of(e), e);
        }
    }

    private StreamPipe(Path folder, Passing passing) throws IOException {
        this.folder = folder;
        this.socket = folder.resolve("stream");
        this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        boolean bound = false;
        try {
            server.bind(UnixDomainSocketAddress.of(socket), 1);
            bound = true;
        } finally {
            if (!bound) {
                remove();
            }
        }
        this.ended = CompletableFuture.runAsync(() -> pass(server, passing), StreamPipe::start);
    }

    private static void start(Runnable run) {
        Thread thread = new Thread(run, "quoin-stream");
        thread.setDaemon(true);
        thread.start();
    }

    private static void pass(ServerSocketChannel server, Passing passing) {
        try (SocketChannel channel = server.accept()) {
            passing.through(channel);
        } catch (AsynchronousCloseException e) {
            return; // the command is at its end
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The path of the socket. */
    String path() {
        return NameText.of(socket);
    }

    /**
     * Waits until everything is passed on, once the service has ended its work.
     *
     * @throws BlockException if it is not
     */
    void await() {
        try {
            ended.join();
        } catch (CompletionException e) {
            throw new BlockException(
                    BlockError.EIO, "stream cannot be passed on: reason=" + Reason.of(e), e);
        }
    }

    @Override
    public void close() {
        try {
            remove();
        } catch (IOException e) {
            throw Reason.failure("socket cannot be removed", path(), e);
        }
    }

    private void remove() throws IOException {
        server.close();
        Files.deleteIfExists(socket);
        Files.deleteIfExists(folder);
    }
}
