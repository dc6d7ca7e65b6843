package io.quoin.benchmarks.compare;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * One connection of a flood, in the plainest form of the protocol (NBD's proto.md): what it sends
 * is correct, how much of it is not polite.
 *
 * <p>Threading: confined to one thread.
 */
final class FloodClient implements AutoCloseable {
    static final int OPT_LIST = 3;
    static final int OPT_INFO = 6;
    static final int OPT_UNKNOWN = 0x4F4F;
    static final int CMD_READ = 0;
    static final int CMD_WRITE = 1;
    static final int CMD_BLOCK_STATUS = 7;

    private static final int OPT_EXPORT_NAME = 1;
    private static final int OPT_STRUCTURED_REPLY = 8;
    private static final int OPT_SET_META_CONTEXT = 10;
    private static final long OPTION_MAGIC = 0x49484156454F5054L;
    private static final int GREETING_BYTES = 18;
    private static final int FIXED_NEWSTYLE_AND_NO_ZEROES = 3;
    private static final int OPTION_REPLY_BYTES = 20;
    private static final int REPLY_ACK = 1;
    private static final int EXPORT_BYTES = 10;
    private static final int REQUEST_MAGIC = 0x25609513;
    private static final int SIMPLE_MAGIC = 0x67446698;
    private static final int SIMPLE_BYTES = 16;
    private static final int CHUNK_BYTES = 20;
    private static final int DONE = 1;
    private static final int RECEIVE_BYTES = 256 << 10;
    private static final int SEND_BYTES = 1 << 20;

    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocateDirect(RECEIVE_BYTES).flip();
    private final ByteBuffer toSend = ByteBuffer.allocateDirect(SEND_BYTES);

    private FloodClient(SocketChannel channel) {
        this.channel = channel;
    }

    /** Only the connection: not a byte is sent or received. */
    static FloodClient connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        return new FloodClient(channel);
    }

    /** Up to where options may be sent. */
    void greet() throws IOException {
        need(GREETING_BYTES);
        skip(GREETING_BYTES);
        toSend.putInt(FIXED_NEWSTYLE_AND_NO_ZEROES);
        send();
    }

    /**
     * Enters transmission.
     *
     * @param withStatus whether BLOCK_STATUS is wanted
     * @return the size of the disk
     */
    long enter(String export, boolean withStatus) throws IOException {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        if (withStatus) {
            option(OPT_STRUCTURED_REPLY, new byte[0]);
            byte[] context = "base:allocation".getBytes(StandardCharsets.UTF_8);
            ByteBuffer query =
                    ByteBuffer.allocate(3 * Integer.BYTES + name.length + context.length);
            query.putInt(name.length).put(name).putInt(1).putInt(context.length).put(context);
            option(OPT_SET_META_CONTEXT, query.array());
            send();
            awaitOption();
            awaitOption();
        }
        option(OPT_EXPORT_NAME, name);
        send();
        need(EXPORT_BYTES);
        long sizeBytes = received.getLong();
        received.getShort();
        return sizeBytes;
    }

    /** Puts an option among what the next {@link #send()} sends. */
    void option(int option, byte[] data) {
        toSend.putLong(OPTION_MAGIC).putInt(option).putInt(data.length).put(data);
    }

    /** INFO without any information asked for. */
    void info(String export) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(Integer.BYTES + name.length + Short.BYTES);
        option(OPT_INFO, data.putInt(name.length).put(name).array());
    }

    /** Receives all that is answered to one option. */
    void awaitOption() throws IOException {
        int type;
        do {
            need(OPTION_REPLY_BYTES);
            skip(OPTION_REPLY_BYTES - 2 * Integer.BYTES);
            type = received.getInt();
            skip(received.getInt());
        } while (type != REPLY_ACK && type > 0);
    }

    /** Puts a request, with zeros for data, among what the next {@link #send()} sends. */
    void request(int command, long offset, int length) {
        toSend.putInt(REQUEST_MAGIC).putShort((short) 0).putShort((short) command);
        toSend.putLong(0).putLong(offset).putInt(length);
        if (command == CMD_WRITE) {
            toSend.position(toSend.position() + length);
        }
    }

    /** Receives all that is answered to one request that is no read. */
    void awaitReply() throws IOException {
        boolean isDone = false;
        while (!isDone) {
            need(SIMPLE_BYTES);
            if (received.getInt() == SIMPLE_MAGIC) {
                skip(SIMPLE_BYTES - Integer.BYTES);
                return;
            }
            isDone = (received.getShort() & DONE) != 0;
            need(CHUNK_BYTES - Integer.BYTES - Short.BYTES);
            skip(Short.BYTES + Long.BYTES);
            skip(received.getInt());
        }
    }

    void send() throws IOException {
        toSend.flip();
        while (toSend.hasRemaining()) {
            channel.write(toSend);
        }
        toSend.clear();
    }

    private void need(int bytes) throws IOException {
        while (received.remaining() < bytes) {
            received.compact();
            try {
                if (channel.read(received) < 0) {
                    throw new EOFException("the server has closed the connection");
                }
            } finally {
                received.flip();
            }
        }
    }

    private void skip(int bytes) throws IOException {
        int left = bytes;
        while (left > 0) {
            need(1);
            int step = Math.min(left, received.remaining());
            received.position(received.position() + step);
            left -= step;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
