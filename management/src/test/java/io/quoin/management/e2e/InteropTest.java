package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The programs that people use with NBD disks, over the unix socket and over TCP. */
@Tag("e2e")
@Timeout(180)
class InteropTest {
    /** How a program reaches the server; each has disks of its own. */
    enum Transport {
        UNIX,
        TCP
    }

    private static final long SIZE_BYTES = 64L << 20;
    private static final List<String> KINDS =
            List.of("info", "copy", "shell", "image", "io", "fio");
    private static final long SEED = Long.getLong("quoin.seed", System.nanoTime());

    @TempDir static Path folder;

    private static DiskServer server;

    @BeforeAll
    static void startServer() throws IOException {
        System.out.println("InteropTest: -Dquoin.seed=" + SEED);
        Map<String, Long> disks = new LinkedHashMap<>();
        for (Transport transport : Transport.values()) {
            KINDS.forEach(kind -> disks.put(name(kind, transport), SIZE_BYTES));
        }
        server = DiskServer.start(Files.createDirectory(folder.resolve("data")), disks);
    }

    @AfterAll
    static void checkEveryImage() {
        if (server == null) {
            return;
        }
        try (DiskServer ending = server) {
            ending.stop();
            if (Peer.QEMU_IMG.available()) {
                for (Transport transport : Transport.values()) {
                    KINDS.forEach(kind -> Images.requireClean(ending.image(name(kind, transport))));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldTellWhatItOffersWhenNbdinfoAsks(Transport transport) throws Exception {
        Peer.NBDINFO.assumeAvailable();
        String uri = uri("info", transport);
        JsonNode export = json(Peer.NBDINFO.command("--json", uri)).get("exports").get(0);

        assertThat(export.get("export-size").asLong()).isEqualTo(SIZE_BYTES);
        assertThat(export.get("is_read_only").asBoolean()).isFalse();
        for (String flag :
                List.of("flush", "fua", "trim", "zero", "df", "multi_conn", "cache", "fast_zero")) {
            assertThat(export.get("can_" + flag).asBoolean()).as(flag).isTrue();
        }
        assertThat(export.get("contexts").toString()).contains("base:allocation");
        assertThat(Peer.NBDINFO.command("--size", uri).runOk().stdout().strip())
                .isEqualTo(Long.toString(SIZE_BYTES));
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldNameEveryDiskWhenNbdinfoLists(Transport transport) throws Exception {
        Peer.NBDINFO.assumeAvailable();
        Assumptions.assumeTrue(
                server instanceof QuoinServer, "the control has a server for each disk");
        String disk = name("info", transport);
        NbdUri any =
                transport == Transport.UNIX
                        ? NbdUri.unix(server.unix(disk).socket(), "")
                        : NbdUri.tcp(server.tcp(disk).port(), "");

        JsonNode exports =
                json(Peer.NBDINFO.command("--list", "--json", any.text())).get("exports");

        assertThat(exports.findValuesAsText("export-name"))
                .contains(name("info", transport), name("fio", transport));
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldBeTheSameOnBothSidesWhenNbdcopyCopiesOverManyConnections(Transport transport)
            throws Exception {
        Peer.assumeAll(Peer.NBDCOPY, Peer.NBDINFO);
        Path source = sparseFile("source-" + transport);
        Path back = folder.resolve("back-" + transport);
        String uri = uri("copy", transport);

        Peer.NBDCOPY
                .command("--connections=4", "--requests=32", "--flush", source.toString(), uri)
                .runOk();
        Peer.NBDCOPY.command("--connections=4", "--requests=32", uri, back.toString()).runOk();

        assertThat(Files.mismatch(source, back)).isEqualTo(-1);
        JsonNode map = json(Peer.NBDINFO.command("--map", "--json", uri));
        assertThat(map.get(0).get("offset").asLong()).isZero();
        assertThat(map.findValuesAsText("description")).contains("data", "hole,zero");
        long mapped = 0;
        for (JsonNode extent : map) {
            mapped += extent.get("length").asLong();
        }
        assertThat(mapped).isEqualTo(SIZE_BYTES);
        Files.delete(source);
        Files.delete(back);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldDoWhatIsAskedWhenNbdshUsesEveryCommand(Transport transport) throws Exception {
        Peer.NBDSH.assumeAvailable();
        String script;
        try (InputStream input = InteropTest.class.getResourceAsStream("every_command.py")) {
            script = new String(input.readAllBytes(), StandardCharsets.UTF_8);
        }

        PeerResult result =
                Peer.NBDSH
                        .command("--base-allocation", "-u", uri("shell", transport), "-c", script)
                        .runOk();

        assertThat(result.stdout()).isEqualTo("all well\n");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldBeADiskLikeAnyOtherWhenQemuImgConvertsComparesMapsAndBenches(Transport transport)
            throws Exception {
        Peer.QEMU_IMG.assumeAvailable();
        String source = sparseFile("convert-" + transport).toString();
        String uri = uri("image", transport);
        String back = folder.resolve("convert-" + transport + ".qcow2").toString();

        qemuImg("convert", "-n", "-f", "raw", "-O", "raw", source, uri);
        qemuImg("compare", "-f", "raw", "-F", "raw", source, uri);
        qemuImg("convert", "-f", "raw", "-O", "qcow2", uri, back);
        qemuImg("compare", "-f", "raw", "-F", "qcow2", source, back);
        JsonNode map = json(Peer.QEMU_IMG.command("map", "--output=json", "-f", "raw", uri));
        assertThat(map.findValuesAsText("zero")).contains("true", "false");
        assertThat(
                        json(Peer.QEMU_IMG.command("info", "--output=json", uri))
                                .get("virtual-size")
                                .asLong())
                .isEqualTo(SIZE_BYTES);
        qemuImg("bench", "-f", "raw", "-c", "2000", "-d", "32", "-s", "4096", "-S", "69632", uri);
        qemuImg(
                "bench",
                "-w",
                "-f",
                "raw",
                "-c",
                "2000",
                "-d",
                "32",
                "-s",
                "4096",
                "--pattern=7",
                "--flush-interval=64",
                uri);
        Files.delete(Path.of(source));
        Files.delete(Path.of(back));
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldReadBackEveryPatternWhenQemuIoWrites(Transport transport) {
        Peer.QEMU_IO.assumeAvailable();
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command :
                List.of(
                        "write -P 0x11 0 1M",
                        "write -f -P 0x22 65024 1024",
                        "write -z 128k 64k",
                        "write -z -u 256k 64k",
                        "discard 512k 128k",
                        "aio_write -P 0x33 2M 1M",
                        "aio_write -P 0x44 4M 512",
                        "aio_flush",
                        "flush",
                        "read -P 0x11 0 65024",
                        "read -P 0x22 65024 1024",
                        "read -P 0 128k 64k",
                        "read -P 0 256k 64k",
                        "read -P 0x33 2M 1M",
                        "read -P 0x44 4M 512",
                        "read -P 0 5M 1M")) {
            arguments.addAll(List.of("-c", command));
        }
        arguments.add(uri("io", transport));

        PeerResult result = Peer.QEMU_IO.command(arguments).runOk();

        assertThat(result.toString()).doesNotContain("Pattern verification failed", "failed:");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void shouldVerifyEveryBlockWhenFioRunsSeveralJobs(Transport transport) {
        Peer.FIO.assumeAvailable();
        PeerResult result =
                Peer.FIO
                        .command(
                                "--name=interop",
                                "--ioengine=nbd",
                                "--uri=" + uri("fio", transport),
                                "--rw=randrw",
                                "--bsrange=512-128k",
                                "--bs_unaligned",
                                "--size=16m",
                                "--numjobs=4",
                                "--offset_increment=16m",
                                "--iodepth=16",
                                "--fsync=50",
                                "--verify=crc32c",
                                "--verify_state_save=0",
                                "--verify_fatal=1",
                                "--randseed=" + (SEED >>> 1),
                                "--group_reporting")
                        .directory(folder)
                        .runOk();

        assertThat(result.toString()).doesNotContain("verify:", "bad magic header");
    }

    @Test
    void shouldSeeTheSameDiskWhenOneWritesOverUnixAndAnotherReadsOverTcp() {
        Peer.QEMU_IO.assumeAvailable();
        String disk = name("info", Transport.UNIX);
        String write = "write -P 0x5a 1M 64k";
        Peer.QEMU_IO
                .command("-f", "raw", "-c", write, "-c", "flush", server.unix(disk).toString())
                .runOk();

        PeerResult result =
                Peer.QEMU_IO
                        .command(
                                "-f",
                                "raw",
                                "-c",
                                "read -P 0x5a 1M 64k",
                                server.tcp(disk).toString())
                        .runOk();

        assertThat(result.toString()).doesNotContain("Pattern verification failed");
    }

    private static void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).runOk();
    }

    private static String name(String kind, Transport transport) {
        return kind + "-" + transport.name().toLowerCase(Locale.ROOT);
    }

    private static String uri(String kind, Transport transport) {
        String disk = name(kind, transport);
        return (transport == Transport.UNIX ? server.unix(disk) : server.tcp(disk)).toString();
    }

    /** Data at random places with holes and zeros between. */
    private static Path sparseFile(String name) throws IOException {
        Path file = folder.resolve(name);
        Random random = new Random(SEED);
        byte[] piece = new byte[1 << 20];
        try (OutputStream output = Files.newOutputStream(file)) {
            for (long at = 0; at < SIZE_BYTES; at += piece.length) {
                if (random.nextInt(3) > 0 || at == 0) {
                    random.nextBytes(piece);
                    output.write(piece);
                } else {
                    output.write(new byte[piece.length]);
                }
            }
        }
        PeerCommand.of("fallocate", "--dig-holes", file.toString()).runOk();
        return file;
    }

    private static JsonNode json(PeerCommand command) throws IOException {
        return new ObjectMapper().readTree(command.runOk().stdout());
    }
}
