package io.quoin.nbd;

import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A raw NBD client on a blocking socket: says what a test tells it to say, right or wrong.
 *
 * <p>Threading: confined to its test.
 */
final class NbdClient implements Closeable {
    final SocketChannel socket;
    final DataInputStream in;
    long sizeBytes;
    int transmissionFlags;

    /** A reply to an option. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record OptionReply(int option, int type, byte[] data) {
        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }

        boolean isError() {
            return type < 0;
        }

        ByteBuffer buffer() {
            return ByteBuffer.wrap(data);
        }
    }

    /** A simple reply, or a chunk of a structured one. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Reply(boolean structured, int flags, int type, int error, long cookie, byte[] payload) {
        boolean isDone() {
            return !structured || (flags & ReplyLayout.FLAG_DONE) != 0;
        }

        ByteBuffer buffer() {
            return ByteBuffer.wrap(payload);
        }
    }

    private NbdClient(SocketChannel socket) {
        this.socket = socket;
        this.in = new DataInputStream(Channels.newInputStream(socket));
    }

    static NbdClient connect(SocketAddress address) throws IOException {
        SocketChannel socket = SocketChannel.open(address);
        if (!(address instanceof UnixDomainSocketAddress)) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        return new NbdClient(socket);
    }

    /** Connects and answers the greeting. */
    static NbdClient greeted(SocketAddress address) throws IOException {
        NbdClient client = connect(address);
        client.readGreeting();
        client.clientFlags(Handshake.FLAG_FIXED_NEWSTYLE | Handshake.FLAG_NO_ZEROES);
        return client;
    }

    /** Connects and goes into transmission, with structured replies and base:allocation or not. */
    static NbdClient open(SocketAddress address, String export, boolean structured)
            throws IOException {
        NbdClient client = greeted(address);
        if (structured) {
            client.expectAck(NbdOption.STRUCTURED_REPLY, new byte[0]);
            client.option(NbdOption.SET_META_CONTEXT, contexts(export, "base:allocation"));
            while (client.readOptionReply().type() != NbdOption.REP_ACK) {
                // The context.
            }
        }
        client.go(export);
        return client;
    }

    int readGreeting() throws IOException {
        long magic = in.readLong();
        long option = in.readLong();
        if (magic != Handshake.NBDMAGIC || option != Handshake.IHAVEOPT) {
            throw new IOException("wrong greeting: " + Long.toHexString(magic));
        }
        return in.readUnsignedShort();
    }

    void clientFlags(int flags) throws IOException {
        send(ByteBuffer.allocate(4).putInt(flags).array());
    }

    void option(int option, byte[] data) throws IOException {
        send(optionBytes(option, data));
    }

    static byte[] optionBytes(int option, byte[] data) {
        return ByteBuffer.allocate(Handshake.OPTION_HEADER_BYTES + data.length)
                .putLong(Handshake.IHAVEOPT)
                .putInt(option)
                .putInt(data.length)
                .put(data)
                .array();
    }

    OptionReply readOptionReply() throws IOException {
        long magic = in.readLong();
        if (magic != Handshake.REPLY_MAGIC) {
            throw new IOException("wrong reply magic: " + Long.toHexString(magic));
        }
        int option = in.readInt();
        int type = in.readInt();
        byte[] data = new byte[in.readInt()];
        in.readFully(data);
        return new OptionReply(option, type, data);
    }

    /** All replies of an option, up to its ACK or error. */
    List<OptionReply> ask(int option, byte[] data) throws IOException {
        option(option, data);
        List<OptionReply> replies = new ArrayList<>();
        OptionReply reply;
        do {
            reply = readOptionReply();
            if (reply.option() != option) {
                throw new IOException("reply to another option: " + reply);
            }
            replies.add(reply);
        } while (reply.type() != NbdOption.REP_ACK && !reply.isError());
        return replies;
    }

    /** The type that ends the answer to an option. */
    int result(int option, byte[] data) throws IOException {
        List<OptionReply> replies = ask(option, data);
        return replies.get(replies.size() - 1).type();
    }

    void expectAck(int option, byte[] data) throws IOException {
        int type = result(option, data);
        if (type != NbdOption.REP_ACK) {
            throw new IOException("no ACK: " + Integer.toHexString(type));
        }
    }

    static byte[] info(String name, int... types) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(4 + bytes.length + 2 + 2 * types.length);
        data.putInt(bytes.length).put(bytes).putShort((short) types.length);
        for (int type : types) {
            data.putShort((short) type);
        }
        return data.array();
    }

    static byte[] contexts(String name, String... queries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        try {
            writeText(out, name);
            out.writeInt(queries.length);
            for (String query : queries) {
                writeText(out, query);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    void go(String export) throws IOException {
        for (OptionReply reply : ask(NbdOption.GO, info(export))) {
            if (reply.isError()) {
                throw new IOException("GO failed: " + reply.text());
            }
            ByteBuffer data = reply.buffer();
            if (reply.type() == NbdOption.REP_INFO && data.getShort() == NbdOption.INFO_EXPORT) {
                sizeBytes = data.getLong();
                transmissionFlags = data.getShort() & 0xffff;
            }
        }
    }

    static byte[] requestBytes(int type, int flags, long cookie, long offset, long length) {
        return ByteBuffer.allocate(RequestLayout.BYTES)
                .putInt(RequestLayout.MAGIC)
                .putShort((short) flags)
                .putShort((short) type)
                .putLong(cookie)
                .putLong(offset)
                .putInt((int) length)
                .array();
    }

    void request(int type, int flags, long cookie, long offset, long length) throws IOException {
        send(requestBytes(type, flags, cookie, offset, length));
    }

    void write(int flags, long cookie, long offset, byte[] data) throws IOException {
        send(writeBytes(flags, cookie, offset, data));
    }

    static byte[] writeBytes(int flags, long cookie, long offset, byte[] data) {
        return ByteBuffer.allocate(RequestLayout.BYTES + data.length)
                .put(requestBytes(RequestLayout.WRITE, flags, cookie, offset, data.length))
                .put(data)
                .array();
    }

    /** One simple reply or chunk; {@code readBytes} of data follow a simple reply without error. */
    Reply readReply(int readBytes) throws IOException {
        int magic = in.readInt();
        if (magic == ReplyLayout.SIMPLE_MAGIC) {
            int error = in.readInt();
            long cookie = in.readLong();
            byte[] data = new byte[error == 0 ? readBytes : 0];
            in.readFully(data);
            return new Reply(false, 0, 0, error, cookie, data);
        }
        if (magic != ReplyLayout.CHUNK_MAGIC) {
            throw new IOException("wrong reply magic: " + Integer.toHexString(magic));
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        byte[] payload = new byte[in.readInt()];
        in.readFully(payload);
        boolean isError = (type & 1 << 15) != 0;
        int error = isError ? ByteBuffer.wrap(payload).getInt() : 0;
        return new Reply(true, flags, type, error, cookie, payload);
    }

    /** All chunks of one reply, nothing else being under way. */
    List<Reply> readChunks() throws IOException {
        List<Reply> chunks = new ArrayList<>();
        do {
            chunks.add(readReply(0));
        } while (!chunks.get(chunks.size() - 1).isDone());
        return chunks;
    }

    /** Sends a request without data in its answer and gives back the error number. */
    int run(int type, int flags, long offset, long length) throws IOException {
        request(type, flags, 99, offset, length);
        Reply reply = readReply(0);
        if (reply.cookie() != 99) {
            throw new IOException("wrong cookie: " + reply);
        }
        return reply.error();
    }

    int runWrite(int flags, long offset, byte[] data) throws IOException {
        write(flags, 98, offset, data);
        Reply reply = readReply(0);
        if (reply.cookie() != 98) {
            throw new IOException("wrong cookie: " + reply);
        }
        return reply.error();
    }

    /** Reads by simple or structured replies, checking that the chunks cover the range once. */
    byte[] read(int flags, long offset, int length) throws IOException {
        request(RequestLayout.READ, flags, 97, offset, length);
        byte[] data = new byte[length];
        int covered = 0;
        boolean[] seen = new boolean[length];
        while (true) {
            Reply reply = readReply(length);
            if (reply.error() != 0 || reply.cookie() != 97) {
                throw new IOException("read failed: " + reply);
            }
            if (!reply.structured()) {
                return reply.payload();
            }
            ByteBuffer payload = reply.buffer();
            if (reply.type() != ReplyLayout.TYPE_NONE) {
                int at = (int) (payload.getLong() - offset);
                boolean hole = reply.type() == ReplyLayout.TYPE_OFFSET_HOLE;
                int part = hole ? payload.getInt() : payload.remaining();
                for (int i = 0; i < part; i++) {
                    if (seen[at + i]) {
                        throw new IOException("chunks overlap at " + (at + i));
                    }
                    seen[at + i] = true;
                }
                if (!hole) {
                    payload.get(data, at, part);
                }
                covered += part;
            }
            if (reply.isDone()) {
                if (covered != length) {
                    throw new IOException("chunks cover " + covered + " of " + length);
                }
                return data;
            }
        }
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            socket.write(buffer);
        }
    }

    /** Whether the server has closed, after whatever it still had sent. */
    boolean isClosedByServer() throws IOException {
        try {
            byte[] rest = new byte[4096];
            while (in.read(rest) >= 0) {
                // Whatever it sent.
            }
            return true;
        } catch (EOFException e) {
            return true;
        } catch (IOException e) {
            // Reset: closed with something unread.
            return true;
        }
    }

    /** Whether the server closes without another byte. */
    boolean isClosedSilently() throws IOException {
        try {
            return in.read() < 0;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
