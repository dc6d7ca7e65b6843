package io.quoin.management.e2e;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A small NBD client of our own, with simple replies: requests are sent without waiting, replies
 * are read one at a time, so that a test knows exactly what was acknowledged (NBD project:
 * doc/proto.md).
 */
final class NbdConnection implements AutoCloseable {
    static final int READ = 0;
    static final int WRITE = 1;
    static final int FLUSH = 3;
    static final int TRIM = 4;
    static final int WRITE_ZEROES = 6;
    static final int FLAG_FUA = 1;

    private static final long GREETING = 0x4e42444d41474943L;
    private static final long OPTION = 0x49484156454F5054L;
    private static final int OPTION_GO = 7;
    private static final int REPLY_ACK = 1;
    private static final int REQUEST = 0x25609513;
    private static final int SIMPLE_REPLY = 0x67446698;
    private static final int CLIENT_FLAGS = 3;
    private static final int REQUEST_BYTES = 28;

    private final SocketChannel channel;
    private final ByteBuffer header = ByteBuffer.allocate(REQUEST_BYTES);

    private NbdConnection(SocketChannel channel) {
        this.channel = channel;
    }

    static NbdConnection open(NbdUri uri) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(uri.socket()));
            NbdConnection connection = new NbdConnection(channel);
            connection.negotiate(uri.export());
            return connection;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private void negotiate(String export) throws IOException {
        ByteBuffer greeting = receive(18);
        expect("greeting", GREETING, greeting.getLong());
        expect("option magic", OPTION, greeting.getLong());
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer go = ByteBuffer.allocate(4 + 16 + 4 + name.length + 2);
        go.putInt(CLIENT_FLAGS).putLong(OPTION).putInt(OPTION_GO).putInt(4 + name.length + 2);
        go.putInt(name.length).put(name).putShort((short) 0);
        send(go.flip());
        int type;
        do {
            ByteBuffer reply = receive(20);
            reply.position(12);
            type = reply.getInt();
            receive(reply.getInt());
            if (type < 0) {
                throw new IOException("GO " + export + ": refused with " + (type & 0x7fffffff));
            }
        } while (type != REPLY_ACK);
    }

    /** Sends a request; the payload, if any, is its length. */
    void request(int command, int flags, long cookie, long offsetBytes, ByteBuffer payload)
            throws IOException {
        head(command, flags, cookie, offsetBytes, payload.remaining());
        send(payload);
    }

    /** Sends a request without a payload. */
    void request(int command, int flags, long cookie, long offsetBytes, int lengthBytes)
            throws IOException {
        head(command, flags, cookie, offsetBytes, lengthBytes);
    }

    private void head(int command, int flags, long cookie, long offsetBytes, int lengthBytes)
            throws IOException {
        header.clear();
        header.putInt(REQUEST).putShort((short) flags).putShort((short) command);
        header.putLong(cookie).putLong(offsetBytes).putInt(lengthBytes);
        send(header.flip());
    }

    /** Waits for the next reply and returns its cookie; an error in it is thrown. */
    long reply() throws IOException {
        ByteBuffer reply = receive(16);
        expect("reply magic", SIMPLE_REPLY, reply.getInt());
        int error = reply.getInt();
        long cookie = reply.getLong();
        if (error != 0) {
            throw new IOException("request " + cookie + ": answered with error " + error);
        }
        return cookie;
    }

    /** Reads a range; only while no other request is on its way. */
    ByteBuffer read(long offsetBytes, int lengthBytes) throws IOException {
        request(READ, 0, 1, offsetBytes, lengthBytes);
        reply();
        return receive(lengthBytes);
    }

    private void send(ByteBuffer data) throws IOException {
        while (data.hasRemaining()) {
            channel.write(data);
        }
    }

    private ByteBuffer receive(int lengthBytes) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(lengthBytes);
        while (data.hasRemaining()) {
            if (channel.read(data) < 0) {
                throw new EOFException("the server has gone");
            }
        }
        return data.flip();
    }

    private static void expect(String what, long expected, long actual) throws IOException {
        if (expected != actual) {
            throw new IOException(
                    what
                            + ": expected="
                            + Long.toHexString(expected)
                            + ", actual="
                            + Long.toHexString(actual));
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
