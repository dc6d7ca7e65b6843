package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.http.HttpAnswer;
import io.quoin.management.http.HttpApi;
import io.quoin.management.http.HttpCall;
import io.quoin.management.http.OpenApi;
import io.quoin.management.operation.Local;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.Operations;
import io.quoin.management.operation.ServiceOperation;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeHost;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The HTTP API: its answers, its document, and the ways to it. */
@Timeout(120)
class ApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TOKEN = "0123456789abcdef";

    private final SocketFolder sockets = SocketFolder.create();
    private final DataFolder folder = new DataFolder(sockets.resolve("data"));

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    private static HttpCall call(String line, String body) {
        String[] words = line.split(" ", 2);
        return new HttpCall(
                words[0],
                words[1],
                null,
                body.equals("-") ? new byte[0] : body.getBytes(StandardCharsets.UTF_8),
                true,
                null);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET /v1/disks                | -                          | 200 | ~disks~:[",
                "POST /v1/disks               | {~name~:~a~,~sizeBytes~:1048576} | 200 | ~format~",
                "GET /v1/disks/vm1            | -                          | 200 |"
                        + " ~sizeBytes~:1048576",
                "GET /v1/disks/%76m1          | -                          | 200 | ~vm1~",
                "GET /v1/disks/vm2            | -                          | 404 | did you mean"
                        + " vm1?",
                "GET /v1/disks/vm1%zz         | -                          | 400 | percent",
                "GET /v1/disks/vm1?x=1        | -                          | 400 | argument",
                "GET /v1/disks/vm1?name=b     | -                          | 400 | given twice",
                "POST /v1/disks               | {~name~:~vm1~,~sizeBytes~:1048576} | 409 | EEXIST",
                "POST /v1/disks               | {                           | 400 | not JSON",
                "POST /v1/disks               | []                          | 400 | no JSON object",
                "POST /v1/disks               | {~name~:~b~}                | 400 | name=sizeBytes",
                "POST /v1/disks/vm1/clones    | {~clones~:[~a~,~b~]}        | 200 | ~b~",
                "POST /v1/disks/vm1/clones    | {~clones~:[7]}              | 400 | name=clones[0]",
                "POST /v1/disks/vm1/clones    | {~clones~:[]}               | 400 | count=0",
                "GET /v1/disks/vm1/children   | -                           | 200 | []",
                "POST /v1/disks/vm1/resize    | {~sizeBytes~:2097152}       | 200 | 2097152",
                "POST /v1/disks/vm1/resize    | {~sizeBytes~:512}           | 501 | ENOTSUP",
                "POST /v1/disks/vm1/check     | -                          | 202 | ~disk.check~",
                "POST /v1/disks/vm1/check     | {~repair~:~all~}            | 400 | image check",
                "POST /v1/disks-du            | -                          | 202 | ~disk.du~",
                "POST /v1/disks/vm1/export    | {~file~:~x~}               | 400 | not absolute",
                "POST /v1/disks/vm1/export    | {~file~:~/nowhere/x~,~format~:~vmdk~} | 400 | vmdk",
                "POST /v1/disks/vm2/import    | {~source~:~/nowhere/x~}    | 404 | /nowhere/x",
                "DELETE /v1/disks/vm1         | -                          | 200 | ~removed~:true",
                "GET /v1/snapshots            | -                          | 200 | ~snapshots~:[]",
                "GET /v1/disks/vm1/snapshots  | -                          | 200 | ~snapshots~:[]",
                "GET /v1/disks/vm2/snapshots  | -                          | 404 | did you mean"
                        + " vm1?",
                "POST /v1/disks/vm1/snapshots | -                          | 202 |"
                        + " ~snapshot.create~",
                "POST /v1/disks/vm1/snapshots | {~snapshot~:~a/b~}         | 400 | name=vm1@a/b",
                "GET /v1/disks/vm1/snapshots/a    | -                      | 404 | name=vm1@a",
                "GET /v1/disks/vm1/snapshots/a/diff | -                    | 404 | name=vm1@a",
                "GET /v1/disks/vm1/snapshots/a/diff?limit=0 | -            | 400 | name=limit",
                "DELETE /v1/disks/vm1/snapshots/a | -                      | 404 | name=vm1@a",
                "POST /v1/disks/vm1/snapshots/a/rollback | -               | 404 | name=vm1@a",
                "POST /v1/disks/vm1/snapshots/a/rename | {~newName~:~b~}   | 404 | name=vm1@a",
                "POST /v1/disks/vm1/snapshots/a/rename | -                 | 400 | name=newName",
                "PUT /v1/disks/vm1            | -                          | 405 | method=PUT",
                "GET /v1/jobs/7               | -                          | 404 | no such job",
                "GET /v1/jobs/7/wait?seconds=99 | -                        | 400 | 0 to 60",
                "GET /v1/status               | -                          | 503 | ESHUTDOWN",
                "GET /v1/nbd                  | -                          | 200 | nbd.sock",
                "GET /v1/openapi.json         | -                          | 200 | 3.1.0",
                "GET /                        | -                          | 404 | openapi.json",
                "GET /v2/disks                | -                          | 404 | no such path"
            })
    void shouldAnswerByStatusAndProblem(String line, String body, int status, String words) {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1);
                ManagedVolume managed = ManagedVolume.unserved(folder, volume.disks())) {
            volume.disks().create("vm1", 1 << 20, Map.of());
            HttpAnswer answer =
                    new HttpApi(registry(managed))
                            .answer(call(line.strip(), body.replace('~', '"')));
            assertThat(answer.body().replace('"', '~')).contains(words);
            assertThat(answer.status()).isEqualTo(status);
            assertThat(answer.contentType())
                    .isEqualTo(status < 300 ? "application/json" : HttpAnswer.PROBLEM);
            assertThat(answer.location()).isEqualTo(status == 202 ? "/v1/jobs/1" : null);
        }
    }

    @Test
    void shouldRefuseToPauseWhatCannotBePaused() {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1);
                ManagedVolume managed = ManagedVolume.unserved(folder, volume.disks())) {
            volume.disks().create("vm1", 1 << 20, Map.of());
            HttpApi api = new HttpApi(registry(managed));
            api.answer(call("POST /v1/disks/vm1/snapshots", "-"));
            HttpAnswer refused = api.answer(call("POST /v1/jobs/1/pause", "-"));
            assertThat(refused.status()).isEqualTo(501);
            assertThat(refused.body()).contains("kind=snapshot.create");
        }
    }

    @Test
    void shouldRunCommandsForClientsOfTheControlSocketAlone() {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1);
                ManagedVolume managed = ManagedVolume.unserved(folder, volume.disks())) {
            volume.disks().create("vm1", 1 << 20, Map.of());
            HttpApi api = new HttpApi(registry(managed));
            String plain = "{\"disks\":[\"vm1\"],\"snapshot\":\"a\"}";
            String freezing =
                    "{\"disks\":[\"vm1\"],\"freezeCommands\":[\"true\"],\"thawCommands\":[\"true\"]}";
            HttpAnswer refused = api.remote().answer(call("POST /v1/snapshot-groups", freezing));
            assertThat(refused.status()).isEqualTo(403);
            assertThat(refused.body()).contains("EPERM", "name=freezeCommands");
            assertThat(api.remote().answer(call("POST /v1/snapshot-groups", plain)).status())
                    .isEqualTo(202);
            assertThat(api.answer(call("POST /v1/snapshot-groups", freezing)).status())
                    .isEqualTo(202);
        }
    }

    @Test
    void shouldKeepFilesOfItsMachineFromOtherMachines() {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1);
                ManagedVolume managed = ManagedVolume.unserved(folder, volume.disks())) {
            volume.disks().create("vm1", 1 << 20, Map.of());
            HttpApi api = new HttpApi(registry(managed)).remote();
            for (ServiceOperation<?, ?> operation : Operations.ALL) {
                for (RecordComponent field : operation.type().request().getRecordComponents()) {
                    if (List.of("file", "source", "repository").contains(field.getName())) {
                        assertThat(field.isAnnotationPresent(Local.class))
                                .as(operation.type().name())
                                .isTrue();
                    }
                }
            }
            Map.of(
                            "POST /v1/disks/vm1/export", "{\"file\":\"/a.raw\"}",
                            "POST /v1/disks/vm2/import", "{\"source\":\"/a.raw\"}")
                    .forEach(
                            (line, body) -> {
                                HttpAnswer refused = api.answer(call(line, body));
                                assertThat(refused.status()).isEqualTo(403);
                                assertThat(refused.body()).contains("EPERM", "control socket");
                            });
            assertThat(api.answer(call("GET /v1/disks", "-")).status()).isEqualTo(200);
        }
    }

    /** The default volume alone, open in the test. */
    private VolumeRegistry registry(ManagedVolume volume) {
        VolumeRegistry volumes =
                new VolumeRegistry(
                        folder,
                        true,
                        new VolumeHost() {
                            @Override
                            public ManagedVolume open(String name, DataFolder own) {
                                return volume;
                            }

                            @Override
                            public void close(String name) {}

                            @Override
                            public boolean opensOnDemand() {
                                return false;
                            }

                            @Override
                            public StatusView status(@Nullable String name) {
                                throw new BlockException(BlockError.ESHUTDOWN, "no service");
                            }
                        });
        volumes.openAll();
        return volumes;
    }

    @Test
    void shouldDescribeEachOperationInTheDocument() {
        JsonNode document = OpenApi.document();
        for (ServiceOperation<?, ?> operation : Operations.ALL) {
            JsonNode described =
                    document.path("paths")
                            .path(operation.type().route().path())
                            .path(operation.type().route().method().toLowerCase(Locale.ROOT));
            assertThat(described.path("operationId").asText()).isEqualTo(operation.type().name());
            assertThat(described.path("summary").asText()).endsWith(".");
        }
        document.findValuesAsText("$ref")
                .forEach(
                        ref ->
                                assertThat(document.at(ref.substring(1)).isObject())
                                        .as(ref)
                                        .isTrue());
        JsonNode create = document.at("/paths/~1v1~1disks/post/requestBody/content");
        JsonNode schema = create.path("application/json").path("schema");
        assertThat(schema.path("required")).hasToString("[\"name\",\"sizeBytes\"]");
        assertThat(schema.at("/properties/sizeBytes/format").asText()).isEqualTo("int64");
        JsonNode wait = document.at("/paths/~1v1~1jobs~1{id}~1wait/get/parameters");
        assertThat(wait.findValuesAsText("in")).containsExactly("path", "query", "query", "query");
        assertThat(document.at("/components/schemas/JobView/properties/state/enum"))
                .hasToString(
                        "[\"queued\",\"running\",\"paused\",\"done\",\"failed\","
                                + "\"cancelled\",\"interrupted\"]");
    }

    private DaemonOptions options(ApiOptions api) {
        DaemonOptions plain =
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 1, "test");
        return new DaemonOptions(
                plain.folder(),
                plain.volfile(),
                plain.disks(),
                plain.listen(),
                plain.socket(),
                plain.connectionsMax(),
                plain.connectionsPerPeerMax(),
                plain.loopCount(),
                plain.version(),
                plain.memoryBytes(),
                api,
                plain.listsSnapshots(),
                plain.bitmapNames());
    }

    private static PeerResult curl(String... arguments) {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "needs curl");
        String[] argv = new String[arguments.length + 2];
        argv[0] = "/usr/bin/curl";
        argv[1] = "-sS";
        System.arraycopy(arguments, 0, argv, 2, arguments.length);
        return PeerCommand.of(argv).run();
    }

    @Test
    void shouldBeUsedByCurlOnTheControlSocket() throws IOException {
        try (Daemon daemon = Daemon.start(options(null))) {
            assertThat(daemon.apiAddress()).isNull();
            String socket = folder.controlSocket().toString();
            PeerResult made =
                    curl(
                            "--unix-socket",
                            socket,
                            "-d",
                            "{\"name\":\"vm1\",\"sizeBytes\":1048576}",
                            "http://localhost/v1/disks");
            assertThat(JSON.readTree(made.stdout()).path("name").asText()).isEqualTo("vm1");
            PeerResult listed = curl("--unix-socket", socket, "http://localhost/v1/disks");
            assertThat(JSON.readTree(listed.stdout()).path("disks")).hasSize(1);
        }
    }

    @Test
    void shouldServeClientsWithTheTokenOverTls() throws IOException {
        Path key = sockets.resolve("key.pem");
        Path certificate = sockets.resolve("cert.pem");
        Path token = Files.writeString(sockets.resolve("token"), TOKEN + "\n");
        makeCertificate(key, certificate);
        ApiOptions api = new ApiOptions(new ListenAddress("127.0.0.1", 0), certificate, key, token);
        try (Daemon daemon = Daemon.start(options(api))) {
            String uri = "https://" + daemon.apiAddress() + "/v1/nbd";
            String ca = certificate.toString();
            String right = "Authorization: Bearer " + TOKEN;
            assertThat(curl("--cacert", ca, "-H", right, uri).stdout()).contains("nbd.sock");
            PeerResult none = curl("--cacert", ca, "-i", uri);
            assertThat(none.stdout())
                    .startsWith("HTTP/1.1 401 ")
                    .contains("EPERM", "connection: close");
            assertThat(curl("--cacert", ca, "-i", "-H", right + "x", uri).stdout())
                    .startsWith("HTTP/1.1 401 ");
            assertThat(curl(uri).exitCode()).as("an unknown certificate").isNotZero();
            String plain = uri.replace("https", "http");
            assertThat(curl("-H", right, plain).stdout()).doesNotContain("nbd.sock");
        }
    }

    private static void makeCertificate(Path key, Path certificate) {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "needs openssl");
        PeerCommand.of(
                        "/usr/bin/openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "rsa:2048",
                        "-nodes",
                        "-days",
                        "2",
                        "-subj",
                        "/CN=127.0.0.1",
                        "-addext",
                        "subjectAltName=IP:127.0.0.1",
                        "-keyout",
                        key.toString(),
                        "-out",
                        certificate.toString())
                .runOk();
    }

    @Test
    void shouldNotStartWithoutATokenOrACertificate() throws IOException {
        Path empty = Files.createFile(sockets.resolve("empty"));
        ApiOptions api = new ApiOptions(new ListenAddress("127.0.0.1", 0), empty, empty, empty);
        assertThatThrownBy(() -> Daemon.start(options(api)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("illegal token");
        Path token = Files.writeString(sockets.resolve("token"), TOKEN);
        ApiOptions noKey = new ApiOptions(new ListenAddress("127.0.0.1", 0), empty, empty, token);
        assertThatThrownBy(() -> Daemon.start(options(noKey)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("certificate or key cannot be used");
        assertThat(folder.controlSocket()).doesNotExist();
    }
}
