package io.quoin.management.backup;

import io.quoin.backup.BackupEvents;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * A unix socket that another program listens on, as a stream. Waits for the other end, but not
 * behind the end of the work.
 *
 * <p>Threading: confined to its thread.
 */
final class StreamSocket implements AutoCloseable {
    private static final long LOOK_MILLIS = 200;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final BackupEvents events;

    /**
     * @param events says when it is to end
     */
    static StreamSocket connect(Path path, BackupEvents events) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
        try {
            return new StreamSocket(channel, events);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private StreamSocket(SocketChannel channel, BackupEvents events) throws IOException {
        this.channel = channel;
        this.events = events;
        channel.configureBlocking(false);
        this.selector = Selector.open();
        this.key = channel.register(selector, 0);
    }

    InputStream in() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                ByteBuffer target = ByteBuffer.wrap(bytes, offset, length);
                int count = length == 0 ? 0 : channel.read(target);
                while (count == 0 && length > 0) {
                    await(SelectionKey.OP_READ);
                    count = channel.read(target);
                }
                return count;
            }
        };
    }

    OutputStream out() {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                write(new byte[] {(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
                while (source.hasRemaining()) {
                    if (channel.write(source) == 0) {
                        await(SelectionKey.OP_WRITE);
                    }
                }
            }
        };
    }

    private void await(int operation) throws IOException {
        key.interestOps(operation);
        do {
            events.checkpoint();
        } while (selector.select(LOOK_MILLIS) == 0);
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
