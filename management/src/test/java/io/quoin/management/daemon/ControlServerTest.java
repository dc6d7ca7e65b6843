package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.peer.SocketFolder;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

@Timeout(60)
class ControlServerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ANSWER_BYTES_MAX = 1 << 20;

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CompletableFuture<Void> waiting = new CompletableFuture<>();
    private final SocketFolder sockets = SocketFolder.create();
    private final Path path = sockets.resolve("control.sock");
    private final ControlServer server = ControlServer.start(path, this::echo);

    /** Answers with the arguments; fails where it is told to. */
    private Object echo(String command, ObjectNode arguments) {
        return switch (command) {
            case "echo" -> arguments;
            case "wait" -> {
                begun.countDown();
                waiting.join();
                yield arguments;
            }
            case "crash" -> throw new IllegalStateException("crashed");
            default -> throw new BlockException(BlockError.EINVAL, "unknown: " + command);
        };
    }

    @AfterEach
    void stop() {
        server.close();
        sockets.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "rubbish", "[1]", "{}", "7", "{\"command\":7}", "{\"command\":{}}"})
    void shouldAnswerWhatIsNoCommandAndGoOn(String line) throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            StringBuilder rest = new StringBuilder();
            send(client, line + "\n");
            JsonNode refusal = receive(client, rest);
            assertThat(refusal.path("ok").asBoolean(true)).isFalse();
            assertThat(refusal.path("error").asText()).isEqualTo("EINVAL");
            assertThat(refusal.path("message").asText()).isNotEmpty();

            send(client, "{\"command\":\"echo\",\"arguments\":{\"a\":\"\u00e4\u20ac\"}}\n");
            assertThat(receive(client, rest).path("result").path("a").asText())
                    .isEqualTo("\u00e4\u20ac");
        }
    }

    @Test
    void shouldAnswerRequestsInOrderHoweverTheyArrive() throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            StringBuilder rest = new StringBuilder();
            String two =
                    "{\"command\":\"echo\",\"arguments\":{\"n\":1}}\n{\"command\":\"crash\"}\n";
            for (int i = 0; i < two.length(); i++) {
                send(client, two.substring(i, i + 1));
            }
            assertThat(receive(client, rest).path("result").path("n").asInt()).isEqualTo(1);
            JsonNode crash = receive(client, rest);
            assertThat(crash.path("error").asText()).isEqualTo("EIO");
            assertThat(crash.path("message").asText()).contains("crashed");
        }
    }

    @Test
    void shouldDropAClientWhoseLineHasNoEnd() throws IOException {
        try (SocketChannel endless = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            ByteBuffer much = ByteBuffer.allocate(1 << 18);
            try {
                while (much.hasRemaining()) {
                    endless.write(much);
                }
                assertThat(endless.read(ByteBuffer.allocate(1))).isNegative();
            } catch (IOException reset) {
                assertThat(reset).hasMessageMatching("(?i).*(broken pipe|reset).*");
            }
        }
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            send(client, "{\"command\":\"echo\"}\n");
            assertThat(receive(client, new StringBuilder()).path("ok").asBoolean()).isTrue();
        }
    }

    @Test
    void shouldEndIdleClientsAndRemoveTheSocketWhenClosed() throws IOException {
        try (SocketChannel idle = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            send(idle, "{\"command\":\"echo\"}\n");
            assertThat(receive(idle, new StringBuilder()).path("ok").asBoolean()).isTrue();

            server.close();

            assertThat(idle.read(ByteBuffer.allocate(1))).isNegative();
            assertThat(path).doesNotExist();
        }
    }

    @Test
    void shouldAnswerNewClientWhenOthersTakeAllPlacesAndSayNothing() throws Exception {
        List<SocketChannel> silent = new ArrayList<>();
        try (SocketChannel working = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            send(working, "{\"command\":\"wait\"}\n");
            StringBuilder rest = new StringBuilder();
            begun.await();
            for (int i = 0; i < 100; i++) {
                SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path));
                silent.add(client);
                if (i % 2 == 0) {
                    send(client, "{\"command\":");
                }
            }
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                send(client, "{\"command\":\"echo\"}\n");
                assertThat(receive(client, new StringBuilder()).path("ok").asBoolean()).isTrue();
            }
            // The one whose command is being carried out kept its place.
            waiting.complete(null);
            assertThat(receive(working, rest).path("ok").asBoolean()).isTrue();
        } finally {
            for (SocketChannel client : silent) {
                client.close();
            }
        }
    }

    private static void send(SocketChannel client, String text) throws IOException {
        client.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static JsonNode receive(SocketChannel client, StringBuilder rest) throws IOException {
        return JSON.readTree(ControlProtocol.receive(client, rest, ANSWER_BYTES_MAX));
    }
}
