package io.quoin.nbd.client;

import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A server for one connection: the handshake as it should be, then whatever the test has it say.
 *
 * <p>Threading: a thread of its own runs the script; the rest is confined to the test.
 */
final class ScriptedServer implements AutoCloseable {
    static final int ALLOCATION_ID = 7;
    static final int SIZE_BYTES = 16 << 20;

    private static final int FLAGS =
            TransmissionFlags.HAS_FLAGS
                    | TransmissionFlags.SEND_FLUSH
                    | TransmissionFlags.SEND_FUA
                    | TransmissionFlags.SEND_WRITE_ZEROES;

    /** What the server is like. */
    record Traits(boolean isStructured, int blockSizeMin, int payloadBytesMax, int flags) {
        static Traits structured() {
            return new Traits(true, 1, 32 << 20, FLAGS);
        }

        static Traits simple() {
            return new Traits(false, 1, 32 << 20, FLAGS);
        }

        Traits blocks(int min, int max) {
            return new Traits(isStructured, min, max, flags);
        }

        Traits without(int flag) {
            return new Traits(isStructured, blockSizeMin, payloadBytesMax, flags & ~flag);
        }
    }

    /** What it does once the handshake is over; then it closes the connection. */
    @FunctionalInterface
    interface Script {
        void run(ScriptedServer server) throws IOException;
    }

    /** A request as it came. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Request(int flags, int type, long cookie, long offset, int length, byte[] data) {}

    private final Traits traits;
    private final ServerSocket listener;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private DataInputStream in;
    private DataOutputStream out;
    private Socket socket;

    ScriptedServer(Traits traits, Script script) throws IOException {
        this.traits = traits;
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(() -> serve(script), "scripted-server");
        thread.setDaemon(true);
        thread.start();
    }

    NbdUri uri() {
        return NbdUri.parse("nbd://127.0.0.1:" + listener.getLocalPort());
    }

    private void serve(Script script) {
        try (Socket accepted = listener.accept()) {
            socket = accepted;
            socket.setTcpNoDelay(true);
            in = new DataInputStream(socket.getInputStream());
            out = new DataOutputStream(socket.getOutputStream());
            shakeHands();
            script.run(this);
            ended.complete(null);
        } catch (IOException | RuntimeException | Error e) {
            ended.completeExceptionally(e);
        }
    }

    private void shakeHands() throws IOException {
        out.writeLong(Handshake.NBDMAGIC);
        out.writeLong(Handshake.IHAVEOPT);
        out.writeShort(Handshake.FLAG_FIXED_NEWSTYLE | Handshake.FLAG_NO_ZEROES);
        in.readInt();
        int option;
        do {
            in.readLong();
            option = in.readInt();
            in.skipNBytes(in.readInt());
            answer(option);
        } while (option != NbdOption.GO);
    }

    private void answer(int option) throws IOException {
        if (option == NbdOption.STRUCTURED_REPLY && !traits.isStructured) {
            optionReply(option, NbdOption.REP_ERR_UNSUP, new byte[0]);
            return;
        }
        if (option == NbdOption.SET_META_CONTEXT) {
            byte[] name = "base:allocation".getBytes(StandardCharsets.UTF_8);
            ByteBuffer context = ByteBuffer.allocate(Integer.BYTES + name.length);
            context.putInt(ALLOCATION_ID).put(name);
            optionReply(option, NbdOption.REP_META_CONTEXT, context.array());
        }
        if (option == NbdOption.GO) {
            ByteBuffer export = ByteBuffer.allocate(12);
            export.putShort((short) NbdOption.INFO_EXPORT).putLong(SIZE_BYTES);
            export.putShort((short) traits.flags);
            optionReply(option, NbdOption.REP_INFO, export.array());
            ByteBuffer blocks = ByteBuffer.allocate(14);
            blocks.putShort((short) NbdOption.INFO_BLOCK_SIZE).putInt(traits.blockSizeMin);
            blocks.putInt(Math.max(4096, traits.blockSizeMin)).putInt(traits.payloadBytesMax);
            optionReply(option, NbdOption.REP_INFO, blocks.array());
        }
        optionReply(option, NbdOption.REP_ACK, new byte[0]);
    }

    private void optionReply(int option, int type, byte[] data) throws IOException {
        out.writeLong(Handshake.REPLY_MAGIC);
        out.writeInt(option);
        out.writeInt(type);
        out.writeInt(data.length);
        out.write(data);
    }

    /** The next request, with its payload. */
    Request next() throws IOException {
        if (in.readInt() != RequestLayout.MAGIC) {
            throw new IOException("request without its magic");
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        long offset = in.readLong();
        int length = in.readInt();
        byte[] data = new byte[type == RequestLayout.WRITE ? length : 0];
        in.readFully(data);
        return new Request(flags, type, cookie, offset, length, data);
    }

    /** Answers nothing until the client has gone. */
    void awaitHangUp() throws IOException {
        in.transferTo(OutputStream.nullOutputStream());
    }

    /** Ends its side in the middle of a request, and lets the rest of that come in. */
    void hangUpWithinRequest() throws IOException {
        in.readInt();
        socket.shutdownOutput();
        in.transferTo(OutputStream.nullOutputStream());
    }

    void simple(Request request, int errno, byte[] data) throws IOException {
        out.writeInt(ReplyLayout.SIMPLE_MAGIC);
        out.writeInt(errno);
        out.writeLong(request.cookie);
        out.write(data);
    }

    void chunk(Request request, boolean isLast, int type, ByteBuffer payload) throws IOException {
        out.writeInt(ReplyLayout.CHUNK_MAGIC);
        out.writeShort(isLast ? ReplyLayout.FLAG_DONE : 0);
        out.writeShort(type);
        out.writeLong(request.cookie);
        byte[] bytes = new byte[payload.capacity()];
        payload.get(0, bytes);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /** Content from {@code position} of the request's range on. */
    void data(Request request, boolean isLast, int position, byte[] data) throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(Long.BYTES + data.length);
        payload.putLong(request.offset + position).put(data);
        chunk(request, isLast, ReplyLayout.TYPE_OFFSET_DATA, payload);
    }

    /** Zeros from {@code position} of the request's range on. */
    void hole(Request request, boolean isLast, int position, int length) throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(Long.BYTES + Integer.BYTES);
        payload.putLong(request.offset + position).putInt(length);
        chunk(request, isLast, ReplyLayout.TYPE_OFFSET_HOLE, payload);
    }

    /** Lengths and statuses in turns. */
    void status(Request request, boolean isLast, long... extents) throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(Integer.BYTES + extents.length * Integer.BYTES);
        payload.putInt(ALLOCATION_ID);
        for (long number : extents) {
            payload.putInt((int) number);
        }
        chunk(request, isLast, ReplyLayout.TYPE_BLOCK_STATUS, payload);
    }

    void error(Request request, boolean isLast, int errno) throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(Integer.BYTES + Short.BYTES).putInt(errno);
        chunk(request, isLast, ReplyLayout.TYPE_ERROR, payload);
    }

    /** Waits until the script is through; what it failed with fails the test. */
    void awaitEnd() throws Exception {
        ended.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
