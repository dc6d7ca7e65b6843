package io.quoin.management.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.volume.CheckEvents;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object a line, in both directions.
 *
 * <pre>
 *   request   {"command":"disk.info","arguments":{"name":"vm1"}}
 *   answer    {"ok":true,"result":{...}}
 *             {"ok":false,"error":"ENOENT","message":"no such disk: name=vm1"}
 *   before it, of a long command, any number of
 *             {"progress":{"done":17,"total":1024}}
 *             {"finding":"ERROR ..."}
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class ControlProtocol {
    static final int REQUEST_BYTES_MAX = 1 << 16;
    static final int ANSWER_BYTES_MAX = 1 << 26;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CHUNK_BYTES = 8192;

    private ControlProtocol() {}

    static ObjectNode request(String command, ObjectNode arguments) {
        ObjectNode request = JSON.createObjectNode().put("command", command);
        request.set("arguments", arguments);
        return request;
    }

    /** Carries out a request; every failure becomes an answer. */
    static ObjectNode answer(String line, Commands commands, CheckEvents events) {
        try {
            JsonNode request = JSON.readTree(line);
            ObjectNode arguments =
                    request.path("arguments") instanceof ObjectNode given
                            ? given
                            : JSON.createObjectNode();
            JsonNode result = commands.call(request.path("command").asText(), arguments, events);
            ObjectNode answer = JSON.createObjectNode().put("ok", true);
            answer.set("result", result);
            return answer;
        } catch (BlockException e) {
            return failure(e.error(), String.valueOf(e.getMessage()));
        } catch (JsonProcessingException e) {
            return failure(BlockError.EINVAL, "request is not JSON: " + e.getOriginalMessage());
        } catch (RuntimeException e) {
            return failure(BlockError.EIO, Reason.of(e));
        }
    }

    static ObjectNode progress(long done, long total) {
        ObjectNode event = JSON.createObjectNode();
        event.putObject("progress").put("done", done).put("total", total);
        return event;
    }

    static ObjectNode finding(String text) {
        return JSON.createObjectNode().put("finding", text);
    }

    /** Whether a line is no answer yet; then {@code events} is told what is in it. */
    static boolean isEvent(String line, CheckEvents events) {
        try {
            JsonNode event = JSON.readTree(line);
            JsonNode progress = event.path("progress");
            if (progress.isObject()) {
                events.progress(progress.path("done").asLong(), progress.path("total").asLong());
                return true;
            }
            if (event.path("finding").isTextual()) {
                events.finding(event.path("finding").asText());
                return true;
            }
            return false;
        } catch (JsonProcessingException e) {
            return false; // which the result will say
        }
    }

    /**
     * The result in an answer.
     *
     * @throws BlockException with the failure in it
     */
    static JsonNode result(String line) {
        try {
            JsonNode answer = JSON.readTree(line);
            if (answer.path("ok").asBoolean()) {
                return answer.path("result");
            }
            throw new BlockException(
                    error(answer.path("error").asText()), answer.path("message").asText());
        } catch (JsonProcessingException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "the daemon's answer is not JSON: " + e.getOriginalMessage(),
                    e);
        }
    }

    static void send(SocketChannel channel, ObjectNode message) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.wrap(
                        (NameText.json(message.toString()) + "\n")
                                .getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Reads the next line; null at the end of the stream.
     *
     * @param rest what was received behind the line before; filled again for the next
     */
    static @Nullable String receive(SocketChannel channel, StringBuilder rest, int bytesMax)
            throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        int searched = 0;
        while (true) {
            int end = rest.indexOf("\n", searched);
            if (end >= 0) {
                String line =
                        new String(
                                rest.substring(0, end).getBytes(StandardCharsets.ISO_8859_1),
                                StandardCharsets.UTF_8);
                rest.delete(0, end + 1);
                return line;
            }
            searched = rest.length();
            if (searched > bytesMax) {
                throw new IOException(
                        "line too long: bytes=" + searched + ", expected=" + bytesMax);
            }
            if (channel.read(chunk.clear()) < 0) {
                return null;
            }
            rest.append(StandardCharsets.ISO_8859_1.decode(chunk.flip()));
        }
    }

    private static ObjectNode failure(BlockError error, String message) {
        return JSON.createObjectNode()
                .put("ok", false)
                .put("error", error.name())
                .put("message", message);
    }

    private static BlockError error(String name) {
        for (BlockError error : BlockError.values()) {
            if (error.name().equals(name) && !error.isOk()) {
                return error;
            }
        }
        return BlockError.EIO;
    }
}
