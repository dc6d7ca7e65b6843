package io.quoin.management.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A connection to a QEMU guest agent, with which both sides know where they are: what the agent had
 * to say to others, or answers too late, is skipped. Source: QEMU Guest Agent Protocol Reference,
 * guest-sync-delimited.
 *
 * <p>Threading: as {@link Guest}.
 */
final class AgentConnection implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ANSWER_BYTES_MAX = 1 << 16;

    /** In no UTF-8: the agent drops half a command before it, and begins its answer with it. */
    private static final byte SENTINEL = (byte) 0xFF;

    private final Selector selector;
    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocate(4096).limit(0);

    private AgentConnection(Selector selector, SocketChannel channel) {
        this.selector = selector;
        this.channel = channel;
    }

    static AgentConnection open(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            // Not waiting: an agent that another client has, and whose queue is full, is busy.
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            channel.register(selector, 0);
            if (!channel.connect(UnixDomainSocketAddress.of(socket)) && !channel.finishConnect()) {
                selector.close();
                throw new IOException("another client is connected");
            }
            return new AgentConnection(selector, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Skips all that was on its way. */
    void sync(long id, long deadlineNanos) throws IOException {
        String command =
                "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" + id + "}}\n";
        byte[] text = command.getBytes(StandardCharsets.US_ASCII);
        send(ByteBuffer.allocate(1 + text.length).put(SENTINEL).put(text).flip(), deadlineNanos);
        while (true) {
            while (next(deadlineNanos) != SENTINEL) {
                // an answer to another, or half of one
            }
            JsonNode answer = answer(deadlineNanos);
            if (answer.path("return").asLong(-1) == id) {
                return;
            }
        }
    }

    /**
     * What a command returns.
     *
     * @throws BlockException with what the agent says of an error
     */
    JsonNode call(String command, long deadlineNanos) throws IOException {
        String text = "{\"execute\":\"" + command + "\"}\n";
        send(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), deadlineNanos);
        JsonNode answer = answer(deadlineNanos);
        if (!answer.has("return")) {
            throw new BlockException(
                    BlockError.EIO,
                    command + ": " + answer.path("error").path("desc").asText("no answer"));
        }
        return answer.get("return");
    }

    private JsonNode answer(long deadlineNanos) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte read = next(deadlineNanos);
        while (read != '\n') {
            if (read == SENTINEL) {
                line.reset();
            } else {
                line.write(read);
            }
            if (line.size() > ANSWER_BYTES_MAX) {
                throw new IOException("answer is longer than " + ANSWER_BYTES_MAX + " bytes");
            }
            read = next(deadlineNanos);
        }
        try {
            return JSON.readTree(line.toString(StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IOException("answer is not JSON", e);
        }
    }

    private void send(ByteBuffer bytes, long deadlineNanos) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE, deadlineNanos);
            }
        }
    }

    private byte next(long deadlineNanos) throws IOException {
        while (!received.hasRemaining()) {
            received.clear();
            int count = channel.read(received);
            received.flip();
            if (count < 0) {
                throw new IOException("agent has closed the connection");
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
            throw new AgentTimeoutException();
        }
        channel.keyFor(selector).interestOps(operation);
        selector.select(left);
        selector.selectedKeys().clear();
        if (Thread.currentThread().isInterrupted()) {
            throw new IOException("interrupted while waiting");
        }
    }

    /** No answer in time. */
    static final class AgentTimeoutException extends IOException {
        private static final long serialVersionUID = 1;

        AgentTimeoutException() {
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
