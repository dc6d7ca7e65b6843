package io.quoin.management.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.guest.TimedSocket.NoAnswerException;
import io.quoin.xlator.NameText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A QEMU's monitor, which has one client at a time. Events are skipped. Source: QEMU Machine
 * Protocol Specification.
 *
 * <p>Threading: confined to one thread at a time.
 */
final class QemuMonitor implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ANSWER_BYTES_MAX = 1 << 24;
    private static final long GREETING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Until the guest is paused QEMU waits for all that it has asked for. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final String name;
    private final TimedSocket socket;

    private QemuMonitor(String name, TimedSocket socket) {
        this.name = name;
        this.socket = socket;
    }

    /**
     * Connects.
     *
     * @throws BlockException if nothing is there, or something else, or another client has it
     */
    static QemuMonitor open(Path socket) {
        String name = NameText.printable(NameText.of(socket));
        TimedSocket open;
        try {
            open = TimedSocket.open(socket);
        } catch (IOException e) {
            throw failure(name, "expected=a socket of QEMU's -qmp", e);
        }
        QemuMonitor monitor = new QemuMonitor(name, open);
        try {
            if (!monitor.message(System.nanoTime() + GREETING_NANOS).has("QMP")) {
                throw new IOException("no greeting");
            }
            monitor.call("qmp_capabilities", Map.of());
            return monitor;
        } catch (IOException e) {
            open.close();
            String expected =
                    e instanceof NoAnswerException
                            ? "expected=a monitor that no other client has, as libvirt has its own"
                            : "expected=a monitor of QEMU's -qmp";
            throw failure(name, expected, e);
        } catch (RuntimeException e) {
            open.close();
            throw e;
        }
    }

    private static BlockException failure(String name, String expected, IOException cause) {
        return new BlockException(
                cause instanceof NoAnswerException ? BlockError.EBUSY : BlockError.EIO,
                "cannot use the monitor: socket="
                        + name
                        + ", "
                        + expected
                        + ", reason="
                        + Reason.of(cause),
                cause);
    }

    /** Its socket, to be shown. */
    String name() {
        return name;
    }

    /**
     * What a command returns.
     *
     * @throws BlockException EIO with what QEMU says of an error, or if it does not answer
     */
    JsonNode call(String command, Map<String, ?> arguments) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("execute", command);
        if (!arguments.isEmpty()) {
            message.put("arguments", arguments);
        }
        try {
            long deadlineNanos = System.nanoTime() + ANSWER_NANOS;
            byte[] line =
                    (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
            socket.send(ByteBuffer.wrap(line), deadlineNanos);
            JsonNode answer = message(deadlineNanos);
            while (!answer.has("return") && !answer.has("error")) {
                answer = message(deadlineNanos);
            }
            if (answer.has("error")) {
                throw new BlockException(
                        BlockError.EIO,
                        command + ": " + answer.path("error").path("desc").asText("no reason"));
            }
            return answer.path("return");
        } catch (IOException e) {
            throw failure(name, "expected=an answer to " + command, e);
        }
    }

    private JsonNode message(long deadlineNanos) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte read = socket.next(deadlineNanos);
        while (read != '\n') {
            line.write(read);
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
