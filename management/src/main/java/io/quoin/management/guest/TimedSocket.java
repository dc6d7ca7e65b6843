package io.quoin.management.guest;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A unix socket of QEMU, which has one client at a time. Deadlines are of {@link System#nanoTime}.
 *
 * <p>Threading: confined to one thread at a time.
 */
final class TimedSocket implements AutoCloseable {
    private final Selector selector;
    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocate(4096).limit(0);

    private TimedSocket(Selector selector, SocketChannel channel) {
        this.selector = selector;
        this.channel = channel;
    }

    static TimedSocket open(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            // Not waiting: one that another client has, and whose queue is full, is busy.
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            channel.register(selector, 0);
            if (!channel.connect(UnixDomainSocketAddress.of(socket)) && !channel.finishConnect()) {
                selector.close();
                throw new IOException("another client is connected");
            }
            return new TimedSocket(selector, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    void send(ByteBuffer bytes, long deadlineNanos) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE, deadlineNanos);
            }
        }
    }

    byte next(long deadlineNanos) throws IOException {
        while (!received.hasRemaining()) {
            received.clear();
            int count = channel.read(received);
            received.flip();
            if (count < 0) {
                throw new IOException("the other side has closed the connection");
            }
            if (count == 0) {
                await(SelectionKey.OP_READ, deadlineNanos);
            }
        }
        return received.get();
    }

    private void await(int operation, long deadlineNanos) throws IOException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
        if (left <= 0) {
            throw new NoAnswerException();
        }
        channel.keyFor(selector).interestOps(operation);
        selector.select(left);
        selector.selectedKeys().clear();
        if (Thread.currentThread().isInterrupted()) {
            throw new IOException("interrupted while waiting");
        }
    }

    /** No answer in time. */
    static final class NoAnswerException extends IOException {
        private static final long serialVersionUID = 1;

        NoAnswerException() {
            super("no answer in time");
        }
    }

    @Override
    public void close() {
        try (selector;
                channel) {
            return;
        } catch (IOException e) {
            throw new BlockException(BlockError.EIO, Reason.of(e), e);
        }
    }
}
