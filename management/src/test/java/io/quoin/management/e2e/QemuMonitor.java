package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.PeerProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** QEMU's monitor: a line of JSON each way. */
record QemuMonitor(SocketChannel channel, BufferedReader lines) implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    static QemuMonitor connect(Path socket, PeerProcess qemu) throws IOException {
        qemu.awaitSocket(socket, LIMIT);
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        QemuMonitor monitor =
                new QemuMonitor(
                        channel,
                        new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8)));
        monitor.command("{\"execute\":\"qmp_capabilities\"}");
        return monitor;
    }

    String command(String json) throws IOException {
        send(json);
        return answer();
    }

    void send(String json) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((json + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Of the last command; events before it are left out. */
    String answer() throws IOException {
        List<String> others = new ArrayList<>();
        while (true) {
            String line = lines.readLine();
            assertThat(line).as("after " + others).isNotNull();
            JsonNode message = JSON.readTree(line);
            if (message.has("return") || message.has("error")) {
                return line;
            }
            others.add(line);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
