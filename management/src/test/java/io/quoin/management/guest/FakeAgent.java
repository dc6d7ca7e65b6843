package io.quoin.management.guest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A QEMU guest agent with a few file systems, and with faults. */
final class FakeAgent implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SENTINEL = 0xFF;

    /** What is done with the next command of that name. */
    enum Fault {
        /** It is carried out and not answered. */
        SILENT,
        /** The connection ends before it is carried out. */
        DIES,
        /** It is answered byte by byte. */
        SLOWLY,
        /** It is refused. */
        REFUSED
    }

    private record Planned(String command, Fault fault) {}

    final List<String> commands = Collections.synchronizedList(new ArrayList<>());
    private final Deque<Planned> faults = new ArrayDeque<>();
    private final ServerSocketChannel server;
    private final Thread thread;
    private final AtomicInteger connectionsEnded = new AtomicInteger();
    volatile int fileSystems = 3;
    volatile boolean isFrozen;

    /** Those that were thawed by others since the freeze. */
    volatile int thawedBehind;

    /** Sent to each client before anything else. */
    volatile String stale = "";

    FakeAgent(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        thread = new Thread(this::serve, "fake-agent");
        thread.setDaemon(true);
        thread.start();
    }

    synchronized void plan(String command, Fault fault) {
        faults.add(new Planned(command, fault));
    }

    private synchronized @Nullable Fault faultOf(String command) {
        Planned next = faults.peek();
        if (next == null || !next.command().equals(command)) {
            return null;
        }
        return faults.remove().fault();
    }

    private void serve() {
        while (server.isOpen()) {
            try (SocketChannel client = server.accept()) {
                client.write(ByteBuffer.wrap(stale.getBytes(StandardCharsets.UTF_8)));
                talk(client);
            } catch (IOException e) {
                connectionsEnded.incrementAndGet(); // the client or the server is closed
            }
        }
    }

    private void talk(SocketChannel client) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (client.read(one.clear()) >= 0) {
            int read = one.get(0) & 0xFF;
            if (read == SENTINEL) {
                line.reset();
            } else if (read == '\n') {
                JsonNode command = JSON.readTree(line.toByteArray());
                line.reset();
                if (!carryOut(client, command)) {
                    return;
                }
            } else {
                line.write(read);
            }
        }
    }

    private boolean carryOut(SocketChannel client, JsonNode command) throws IOException {
        String name = command.path("execute").asText();
        commands.add(name);
        Fault fault = faultOf(name);
        if (fault == Fault.DIES) {
            return false;
        }
        String answer =
                fault == Fault.REFUSED
                        ? "{\"error\":{\"class\":\"GenericError\",\"desc\":\"not now\"}}\n"
                        : "{\"return\": " + result(name, command) + "}\n";
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(bytes.length + 1);
        if (name.equals("guest-sync-delimited")) {
            out.put((byte) SENTINEL);
        }
        out.put(bytes).flip();
        if (fault == Fault.SILENT) {
            return true;
        }
        while (out.hasRemaining()) {
            if (fault == Fault.SLOWLY) {
                client.write(ByteBuffer.wrap(new byte[] {out.get()}));
            } else {
                client.write(out);
            }
        }
        return true;
    }

    private String result(String name, JsonNode command) {
        switch (name) {
            case "guest-sync-delimited" -> {
                return command.path("arguments").path("id").asText();
            }
            case "guest-fsfreeze-freeze" -> {
                isFrozen = true;
                return Integer.toString(fileSystems);
            }
            case "guest-fsfreeze-thaw" -> {
                int thawed = isFrozen ? fileSystems - thawedBehind : 0;
                isFrozen = false;
                return Integer.toString(thawed);
            }
            case "guest-fsfreeze-status" -> {
                return isFrozen ? "\"frozen\"" : "\"thawed\"";
            }
            default -> throw new AssertionError("unknown command: " + name);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
