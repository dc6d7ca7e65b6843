package io.quoin.management.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobFailure;
import io.quoin.management.operation.OperationType;
import io.quoin.xlator.NameText;
import java.io.EOFException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of the API on one connection: what the service answers and no more of HTTP,
 * since a library for all of it would take longer to load than the answer.
 *
 * <p>Threading: confined to its thread.
 */
final class HttpExchange {
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final int HEAD_BYTES_MAX = 1 << 14;
    private static final int BODY_BYTES_MAX = 1 << 26;
    private static final int OK_FIRST = 200;
    private static final int OK_LAST = 299;

    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocate(8192).limit(0);

    HttpExchange(SocketChannel channel) {
        this.channel = channel;
    }

    /**
     * Has an operation carried out.
     *
     * @param volume of names that have none; null where none is given
     * @throws EOFException if the service ends before it answers
     * @throws BlockException with the failure in the answer
     */
    <R extends Record> R call(OperationType<?, R> type, ObjectNode fields, @Nullable String volume)
            throws IOException {
        String method = type.route().method();
        StringBuilder target = new StringBuilder();
        for (String part : type.route().path().substring(1).split("/", -1)) {
            boolean isField = part.startsWith("{");
            String name = isField ? part.substring(1, part.length() - 1) : part;
            JsonNode value = isField ? fields.remove(name) : null;
            target.append('/').append(value == null ? name : percent(value.asText()));
        }
        String body = "";
        char separator = '?';
        if (volume != null) {
            target.append("?volume=").append(percent(volume));
            separator = '&';
        }
        if (method.equals("POST")) {
            body = NameText.json(fields.toString());
        } else {
            for (var field : fields.properties()) {
                target.append(separator).append(field.getKey()).append('=');
                target.append(percent(field.getValue().asText()));
                separator = '&';
            }
        }
        send(method, target.toString(), body.getBytes(StandardCharsets.UTF_8));
        return receive(type.result());
    }

    private static String percent(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private void send(String method, String target, byte[] body) throws IOException {
        String head =
                method
                        + ' '
                        + target
                        + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Content-Length: "
                        + body.length
                        + "\r\n\r\n";
        ByteBuffer bytes = ByteBuffer.allocate(head.length() + body.length);
        bytes.put(head.getBytes(StandardCharsets.US_ASCII)).put(body).flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private <R> R receive(Class<R> type) throws IOException {
        String[] lines = head().split("\r\n", -1);
        String[] status = lines[0].split(" ", -1);
        if (status.length < 2 || !lines[0].startsWith("HTTP/1.") || !status[1].matches("\\d{3}")) {
            throw new IOException("no answer of HTTP: line=" + lines[0]);
        }
        int length = -1;
        for (String line : lines) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        if (length < 0 || length > BODY_BYTES_MAX) {
            throw new IOException("illegal length of an answer: bytes=" + length);
        }
        byte[] body = new byte[length];
        for (int i = 0; i < length; ) {
            fill();
            int count = Math.min(received.remaining(), length - i);
            received.get(body, i, count);
            i += count;
        }
        int code = Integer.parseInt(status[1]);
        return result(code >= OK_FIRST && code <= OK_LAST, body, type);
    }

    private static <R> R result(boolean isOk, byte[] body, Class<R> type) throws IOException {
        try {
            if (isOk) {
                return JSON.readValue(body, type);
            }
            JsonNode problem = JSON.readTree(body);
            throw new BlockException(
                    JobFailure.errorNamed(problem.path("error").asText()),
                    problem.path("detail").asText());
        } catch (JsonProcessingException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "the daemon's answer is not what was expected: " + e.getOriginalMessage(),
                    e);
        }
    }

    /** Up to the empty line. */
    private String head() throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || head.indexOf("\r\n\r\n", head.length() - 4) < 0) {
            if (head.length() > HEAD_BYTES_MAX) {
                throw new IOException("head of an answer is too long: bytes=" + head.length());
            }
            fill();
            head.append((char) (received.get() & 0xff));
        }
        return head.toString();
    }

    private void fill() throws IOException {
        while (!received.hasRemaining()) {
            int count = channel.read(received.clear());
            received.flip();
            if (count < 0) {
                throw new EOFException("the connection ended");
            }
        }
    }
}
