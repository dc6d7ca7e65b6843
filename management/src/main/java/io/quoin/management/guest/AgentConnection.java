package io.quoin.management.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

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

    private final TimedSocket socket;

    private AgentConnection(TimedSocket socket) {
        this.socket = socket;
    }

    static AgentConnection open(Path socket) throws IOException {
        return new AgentConnection(TimedSocket.open(socket));
    }

    /** Skips all that was on its way. */
    void sync(long id, long deadlineNanos) throws IOException {
        String command =
                "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" + id + "}}\n";
        byte[] text = command.getBytes(StandardCharsets.US_ASCII);
        socket.send(
                ByteBuffer.allocate(1 + text.length).put(SENTINEL).put(text).flip(), deadlineNanos);
        while (true) {
            while (socket.next(deadlineNanos) != SENTINEL) {
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
        socket.send(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), deadlineNanos);
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
        byte read = socket.next(deadlineNanos);
        while (read != '\n') {
            if (read == SENTINEL) {
                line.reset();
            } else {
                line.write(read);
            }
            if (line.size() > ANSWER_BYTES_MAX) {
                throw new IOException("answer is longer than " + ANSWER_BYTES_MAX + " bytes");
            }
            read = socket.next(deadlineNanos);
        }
        try {
            return JSON.readTree(line.toString(StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IOException("answer is not JSON", e);
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
