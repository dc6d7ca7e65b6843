package io.quoin.management.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.job.JobFailure;
import io.quoin.xlator.NameText;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.function.BiFunction;

/**
 * One JSON object a line, in both directions.
 *
 * <pre>
 *   request   {"command":"disk.info","arguments":{"name":"vm1"}}
 *   answer    {"ok":true,"result":{...}}
 *             {"ok":false,"error":"ENOENT","message":"no such disk: name=vm1"}
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class ControlProtocol {
    static final int REQUEST_BYTES_MAX = 1 << 16;
    static final int ANSWER_BYTES_MAX = 1 << 26;

    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final int CHUNK_BYTES = 8192;

    private ControlProtocol() {}

    static ObjectNode request(String command, ObjectNode arguments) {
        ObjectNode request = JSON.createObjectNode().put("command", command);
        request.set("arguments", arguments);
        return request;
    }

    /** Carries out a request; every failure becomes an answer. */
    static ObjectNode answer(String line, BiFunction<String, ObjectNode, Object> commands) {
        try {
            JsonNode request = JSON.readTree(line);
            ObjectNode arguments =
                    request.path("arguments") instanceof ObjectNode given
                            ? given
                            : JSON.createObjectNode();
            Object result = commands.apply(request.path("command").asText(), arguments);
            ObjectNode answer = JSON.createObjectNode().put("ok", true);
            answer.set("result", JSON.valueToTree(result));
            return answer;
        } catch (BlockException e) {
            return failure(e.error(), String.valueOf(e.getMessage()));
        } catch (JsonProcessingException e) {
            return failure(BlockError.EINVAL, "request is not JSON: " + e.getOriginalMessage());
        } catch (RuntimeException e) {
            return failure(BlockError.EIO, Reason.of(e));
        }
    }

    /**
     * The result in an answer.
     *
     * @throws BlockException with the failure in it
     */
    static <R> R result(String line, Class<R> type) {
        try {
            JsonNode answer = JSON.readTree(line);
            if (answer.path("ok").asBoolean()) {
                return JSON.treeToValue(answer.path("result"), type);
            }
            throw new BlockException(
                    JobFailure.errorNamed(answer.path("error").asText()),
                    answer.path("message").asText());
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
}
