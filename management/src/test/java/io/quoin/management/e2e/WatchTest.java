package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What can be seen of a service and its clients from outside. */
@Tag("e2e")
@Timeout(180)
class WatchTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder folder = SocketFolder.create();
    private final Path data = folder.resolve("data");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    private PeerProcess serve(String... more) {
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("serve", "--data", data.toString(), "--disk", "vm1=10M"));
        arguments.addAll(List.of("--listen", "none"));
        arguments.addAll(List.of(more));
        PeerProcess server = QuoinProgram.command(arguments).start();
        server.awaitLine("ready"::equals, LIMIT);
        return server;
    }

    /** One that has written once and stays. */
    private PeerProcess attach() {
        PeerProcess client =
                Peer.NBDSH
                        .command(
                                "-u",
                                "nbd+unix:///vm1?socket=" + data.resolve("nbd.sock"),
                                "-c",
                                "h.pwrite(b'a' * 4096, 0); print('written', flush=True);"
                                        + " import sys; sys.stdin.read()")
                        .start();
        client.awaitLine("written"::equals, LIMIT);
        return client;
    }

    private PeerResult get(String path) {
        return PeerCommand.of(
                        "curl",
                        "-sS",
                        "-w",
                        "%{http_code} %{content_type}",
                        "--unix-socket",
                        data.resolve("control.sock").toString(),
                        "http://localhost" + path)
                .runOk();
    }

    @Test
    void shouldShowClientsLoadAndHealth() throws IOException {
        Peer.NBDSH.assumeAvailable();
        try (PeerProcess server = serve();
                PeerProcess client = attach()) {
            JsonNode status = JSON.readTree(ok("status", "--output", "json").stdout());
            assertThat(status.path("clients")).hasSize(1);
            JsonNode attached = status.path("clients").get(0);
            assertThat(attached.path("disk").asText()).isEqualTo("vm1");
            assertThat(attached.path("peer").asText()).isEqualTo("unix");
            assertThat(attached.path("pid").asLong()).isEqualTo(client.pid());
            assertThat(attached.path("uid").isInt()).isTrue();
            assertThat(Instant.parse(attached.path("since").asText())).isBefore(Instant.now());
            assertThat(attached.path("requests").asLong()).isPositive();
            assertThat(ok("status").stdout()).contains("process " + client.pid() + ", user ");

            assertThat(get("/metrics").stdout())
                    .contains(
                            "# TYPE quoin_disk_requests_total counter",
                            "quoin_disk_requests_total{disk=\"vm1\",operation=\"write\"} 1.0\n",
                            "quoin_disk_bytes_total{disk=\"vm1\",operation=\"write\"} 4096.0\n",
                            "quoin_disk_errors_total{disk=\"vm1\",operation=\"write\"} 0.0\n",
                            "quoin_disk_connections{disk=\"vm1\"} 1.0\n",
                            "quoin_disk_size_bytes{disk=\"vm1\"} 1.048576E7\n",
                            "operation=\"write\",quantile=\"0.99\"}",
                            "quoin_volume_open{volume=\"default\"} 1.0\n")
                    .endsWith("200 text/plain; version=0.0.4; charset=utf-8");
            assertThat(get("/healthz").stdout())
                    .isEqualTo("{\"status\":\"ok\"}200 application/json");

            JsonNode top =
                    JSON.readTree(
                            ok(
                                            "disk",
                                            "top",
                                            "--interval",
                                            "0.1",
                                            "--count",
                                            "1",
                                            "--output",
                                            "json")
                                    .stdout());
            assertThat(top).hasSize(1);
            assertThat(top.get(0).path("disk").asText()).isEqualTo("vm1");
            assertThat(top.get(0).path("writesPerSecond").asDouble()).isZero();
            assertThat(ok("disk", "top", "--interval", "0.1", "--count", "2").stdout())
                    .containsPattern("(?s)DISK.*vm1.*DISK.*vm1");
            server.terminate();
        }
    }

    @Test
    void shouldLogAsJsonWhichClientsComeAndGo() throws IOException {
        Peer.NBDSH.assumeAvailable();
        try (PeerProcess server = serve("--log-format", "json", "--log-level", "info")) {
            long pid;
            try (PeerProcess client = attach()) {
                pid = client.pid();
            }
            server.awaitReady(() -> server.stderr().contains("client detached"), LIMIT);
            server.terminate();
            PeerResult ended = server.awaitExit(LIMIT);
            assertThat(ended.exitCode()).isZero();
            List<JsonNode> lines = new ArrayList<>();
            for (String line : ended.stderr().lines().toList()) {
                lines.add(JSON.readTree(line));
            }
            assertThat(lines)
                    .isNotEmpty()
                    .allSatisfy(
                            line -> {
                                assertThat(line.path("level").asText()).isEqualTo("INFO");
                                assertThat(line.path("logger").asText()).startsWith("io.quoin.");
                                Instant.parse(line.path("time").asText());
                            });
            assertThat(lines)
                    .extracting(line -> line.path("message").asText())
                    .anyMatch(
                            text ->
                                    text.startsWith(
                                            "client attached: peer=process "
                                                    + pid
                                                    + ", export=\"vm1\""))
                    .anyMatch(text -> text.startsWith("client detached: peer=process " + pid));
        }
    }

    @Test
    void shouldWaitNoLongerThanItWasToldForAServiceThatAnswersNothing() {
        try (PeerProcess server = serve()) {
            PeerCommand.of("kill", "-STOP", Long.toString(server.pid())).runOk();
            PeerResult status =
                    QuoinProgram.run("status", "--wait", "1", "--data", data.toString());
            PeerCommand.of("kill", "-CONT", Long.toString(server.pid())).runOk();
            assertThat(status.exitCode()).isEqualTo(1);
            assertThat(status.stderr())
                    .contains("the service does not answer: data=" + data, "within 1.0 s");
        }
    }

    @Test
    void shouldFailWhenTheResultCannotBeWritten() {
        PeerResult full =
                QuoinProgram.environment(
                                PeerCommand.of(
                                        "sh",
                                        "-c",
                                        "exec \"$0\" --version >/dev/full",
                                        QuoinProgram.LAUNCHER.toString()))
                        .run();
        assertThat(full.exitCode()).isEqualTo(1);
        assertThat(full.stderr()).contains("the result cannot be written");
    }

    @Test
    void shouldTakeOptionsInFrontOfTheCommandAndSettingsFromAFile() throws IOException {
        Path settings = folder.resolve("quoin.toml");
        java.nio.file.Files.writeString(
                settings,
                "data = \"" + data + "\"\n[serve]\nlisten = \"none\"\ndisk = [\"vm1=10M\"]\n");
        try (PeerProcess server =
                QuoinProgram.command(List.of("serve"))
                        .environment("QUOIN_CONFIG", settings.toString())
                        .start()) {
            server.awaitLine("ready"::equals, LIMIT);
            assertThat(
                            QuoinProgram.run(
                                            "--data",
                                            data.toString(),
                                            "--output=json",
                                            "disk",
                                            "ls")
                                    .requireSuccess()
                                    .stdout())
                    .contains("\"vm1\"");
            PeerResult shown =
                    QuoinProgram.command(List.of("config", "show"))
                            .environment("QUOIN_CONFIG", settings.toString())
                            .environment("QUOIN_VOLUME", "fast")
                            .runOk();
            assertThat(shown.stdout())
                    .containsPattern("data +" + data + " +" + settings)
                    .containsPattern("volume +fast +\\$QUOIN_VOLUME")
                    .containsPattern("serve\\.listen +none +" + settings)
                    .containsPattern("serve\\.max-connections +200 +default");
            server.terminate();
            assertThat(server.awaitExit(LIMIT).exitCode()).isZero();
        }
    }

    private PeerResult ok(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--data", data.toString()));
        return QuoinProgram.command(all).runOk();
    }
}
