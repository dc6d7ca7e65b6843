package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.management.http.HttpAnswer;
import io.quoin.management.http.HttpCall;
import io.quoin.testkit.peer.SocketFolder;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ApiServerTest {
    private static final String ECHO = "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CompletableFuture<Void> waiting = new CompletableFuture<>();
    private final SocketFolder sockets = SocketFolder.create();
    private final Path path = sockets.resolve("control.sock");
    private final ApiServer server = ApiServer.start(UnixListener.bind(path), this::echo);

    /** Answers with the body; waits where it is told to. */
    private HttpAnswer echo(HttpCall call) {
        if (call.malformed() != null) {
            return HttpAnswer.problem(BlockError.EINVAL, call.malformed());
        }
        if (call.target().equals("/wait")) {
            begun.countDown();
            waiting.join();
        }
        String body = new String(call.body(), StandardCharsets.UTF_8);
        return new HttpAnswer(200, "text/plain", null, call.method() + " " + body);
    }

    @AfterEach
    void stop() {
        server.close();
        sockets.close();
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rubbish\r\n\r\n",
                "GET\r\n\r\n",
                "GET /echo HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
                "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            })
    void shouldRefuseWhatIsNoRequestAndCloseThat(String text) throws IOException {
        try (SocketChannel client = connect()) {
            send(client, text);
            assertThat(receiveAll(client)).startsWith("HTTP/1.1 400 ").contains("EINVAL");
        }
        try (SocketChannel client = connect()) {
            send(client, ECHO);
            assertThat(receive(client, "POST abc")).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void shouldAnswerRequestsInOrderHoweverTheyArrive() throws IOException {
        try (SocketChannel client = connect()) {
            String two = ECHO + "GET /last HTTP/1.1\r\nConnection: close\r\n\r\n";
            for (int i = 0; i < two.length(); i++) {
                send(client, two.substring(i, i + 1));
            }
            assertThat(receiveAll(client)).containsSubsequence("POST abc", "close", "GET ");
        }
    }

    @Test
    void shouldTakeBodiesInChunksAndSayThatItWillTakeThem() throws IOException {
        try (SocketChannel client = connect()) {
            send(
                    client,
                    String.join(
                            "\r\n",
                            "POST /echo HTTP/1.1",
                            "Transfer-Encoding: chunked",
                            "Expect: 100-continue",
                            "",
                            ""));
            receive(client, "HTTP/1.1 100 Continue");
            send(client, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
            receive(client, "POST abc");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /",
                "GET / HTTP/1.1\r\nX: ",
                "POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3ffff\r\n"
            })
    void shouldRefuseARequestWithoutAnEnd(String start) throws IOException {
        try (SocketChannel endless = connect()) {
            try {
                send(endless, start);
                byte[] text = "x".repeat(1 << 18).getBytes(StandardCharsets.UTF_8);
                ByteBuffer much = ByteBuffer.wrap(text);
                while (much.hasRemaining()) {
                    endless.write(much);
                }
                receive(endless, "HTTP/1.1 4");
            } catch (IOException reset) {
                assertThat(reset).hasMessageMatching("(?i).*(broken pipe|reset).*");
            }
        }
        try (SocketChannel client = connect()) {
            send(client, ECHO);
            receive(client, "POST abc");
        }
    }

    @Test
    void shouldEndIdleClientsAndRemoveTheSocketWhenClosed() throws IOException {
        try (SocketChannel idle = connect()) {
            send(idle, ECHO);
            receive(idle, "POST abc");

            server.close();

            assertThat(idle.read(ByteBuffer.allocate(1))).isNegative();
            assertThat(path).doesNotExist();
        }
    }

    @Test
    void shouldAnswerNewClientWhenOthersTakeAllPlacesAndSayNothing() throws Exception {
        List<SocketChannel> silent = new ArrayList<>();
        try (SocketChannel working = connect()) {
            send(working, "GET /wait HTTP/1.1\r\n\r\n");
            begun.await();
            for (int i = 0; i < 100; i++) {
                SocketChannel client = connect();
                silent.add(client);
                if (i % 2 == 0) {
                    send(client, "GET /half");
                }
            }
            try (SocketChannel client = connect()) {
                send(client, ECHO);
                receive(client, "POST abc");
            }
            // The one whose request is being carried out kept its place.
            waiting.complete(null);
            receive(working, "GET ");
        } finally {
            for (SocketChannel client : silent) {
                client.close();
            }
        }
    }

    private static void send(SocketChannel client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    /** Until {@code end} is there. */
    private static String receive(SocketChannel client, String end) throws IOException {
        StringBuilder text = new StringBuilder();
        ByteBuffer chunk = ByteBuffer.allocate(1024);
        while (text.indexOf(end) < 0) {
            assertThat(client.read(chunk.clear())).as(text.toString()).isPositive();
            text.append(StandardCharsets.UTF_8.decode(chunk.flip()));
        }
        return text.toString();
    }

    private static String receiveAll(SocketChannel client) throws IOException {
        StringBuilder text = new StringBuilder();
        ByteBuffer chunk = ByteBuffer.allocate(1024);
        while (client.read(chunk.clear()) >= 0) {
            text.append(StandardCharsets.UTF_8.decode(chunk.flip()));
        }
        return text.toString();
    }
}
