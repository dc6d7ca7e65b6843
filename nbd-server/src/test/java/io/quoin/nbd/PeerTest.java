package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.nbd.protocol.NbdOption;
import io.quoin.testkit.peer.Peer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Other people's clients. */
@Timeout(180)
final class PeerTest {
    private final TestServer server = new TestServer();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private Path randomFile(String name, int length) throws Exception {
        byte[] data = new byte[length];
        new Random(7).nextBytes(data);
        // Some of it unwritten, so that copies have holes to find.
        Arrays.fill(data, length / 4, length / 2, (byte) 0);
        return Files.write(server.folder.resolve(name), data);
    }

    @Test
    void shouldDescribeItselfToNbdinfo() {
        Peer.NBDINFO.assumeAvailable();
        String all = Peer.NBDINFO.command("--list", "--json", server.uri("")).runOk().stdout();
        assertThat(all).contains("\"export-name\": \"disk\"", "\"export-name\": \"fixed\"");
        String one = Peer.NBDINFO.command("--json", server.uri("disk")).runOk().stdout();
        assertThat(one)
                .contains("\"protocol\": \"newstyle-fixed\"", "\"structured\": true")
                .contains("\"can_multi_conn\": true", "\"can_fast_zero\": true")
                .contains("\"block_size_minimum\": 1", "\"block_size_maximum\": 67108864")
                .contains("\"base:allocation\"", "\"export-size\": " + TestServer.DISK_BYTES);
        Peer.NBDINFO.command(server.uri("nothing")).run().requireExitCode(1);
    }

    @Test
    void shouldMapForNbdinfoWhenPartlyWritten() throws Exception {
        Peer.NBDINFO.assumeAvailable();
        try (NbdClient client = server.open(true)) {
            assertThat(client.runWrite(0, 65536, new byte[65536])).isZero();
        }
        String map = Peer.NBDINFO.command("--map", server.uri("disk")).runOk().stdout();
        assertThat(map.lines().map(line -> line.trim().replaceAll(" +", " ")))
                .containsExactly(
                        "0 65536 3 hole,zero",
                        "65536 65536 0 data",
                        "131072 " + (TestServer.DISK_BYTES - 131072) + " 3 hole,zero");
    }

    @Test
    void shouldCopyBothWaysForNbdcopy() throws Exception {
        Peer.NBDCOPY.assumeAvailable();
        server.disk.pace(MemoryDisk.Pace.REORDERED);
        Path in = randomFile("in", TestServer.DISK_BYTES);
        Path out = server.folder.resolve("out");
        Peer.NBDCOPY
                .command("--connections=4", "--flush", in.toString(), server.uri("disk"))
                .runOk();
        assertThat(server.disk.stable()).isEqualTo(Files.readAllBytes(in));
        Peer.NBDCOPY.command("--connections=4", server.uri("disk"), out.toString()).runOk();
        assertThat(Files.mismatch(in, out)).isEqualTo(-1);
        Peer.NBDCOPY.command(server.uri("disk"), server.uri("other")).runOk();
        assertThat(server.other.content(0, TestServer.DISK_BYTES))
                .isEqualTo(Files.readAllBytes(in));
    }

    @Test
    void shouldConvertCompareAndMapForQemuImg() throws Exception {
        Peer.QEMU_IMG.assumeAvailable();
        Path in = randomFile("in", TestServer.DISK_BYTES);
        String uri = server.uri("disk");
        run(Peer.QEMU_IMG, "convert", "-n", "-f", "raw", "-O", "raw", in.toString(), uri);
        run(Peer.QEMU_IMG, "compare", "-f", "raw", "-F", "raw", in.toString(), uri);
        Path out = server.folder.resolve("out.qcow2");
        run(Peer.QEMU_IMG, "convert", "-f", "raw", "-O", "qcow2", uri, out.toString());
        run(Peer.QEMU_IMG, "compare", "-f", "raw", "-F", "qcow2", in.toString(), out.toString());
        String map = run(Peer.QEMU_IMG, "map", "--output=json", "-f", "raw", uri);
        assertThat(map).contains("\"data\": true", "\"zero\": true");
        run(Peer.QEMU_IMG, "bench", "-f", "raw", "-c", "2000", "-d", "64", "-w", uri);
        run(Peer.QEMU_IMG, "bench", "-f", "raw", "-c", "2000", "-d", "64", uri);
    }

    private static String run(Peer peer, String... arguments) {
        return peer.command(arguments).runOk().stdout();
    }

    @Test
    void shouldVerifyPatternsForQemuIo() {
        Peer.QEMU_IO.assumeAvailable();
        String output =
                run(
                        Peer.QEMU_IO,
                        "-f",
                        "raw",
                        "-c",
                        "write -P 0x55 1000 200000",
                        "-c",
                        "write -f -P 0x66 5000 4096",
                        "-c",
                        "write -z -u 100k 40k",
                        "-c",
                        "write -z -n 0 4k",
                        "-c",
                        "discard 160k 16k",
                        "-c",
                        "flush",
                        "-c",
                        "read -P 0x66 5000 4096",
                        "-c",
                        "read -P 0x55 10000 50000",
                        "-c",
                        "read -P 0 100k 40k",
                        server.uri("disk"));
        assertThat(output).doesNotContain("failed").doesNotContain("Pattern verification");
    }

    @Test
    void shouldRefuseWritesForQemuIoWhenExportIsReadOnly() {
        Peer.QEMU_IO.assumeAvailable();
        run(Peer.QEMU_IO, "-r", "-f", "raw", "-c", "read -P 0 0 64k", server.uri("fixed"));
        Peer.QEMU_IO
                .command("-f", "raw", "-c", "write 0 64k", server.uri("fixed"))
                .run()
                .requireExitCode(1);
    }

    @Test
    void shouldVerifyForFio() {
        Peer.FIO.assumeAvailable();
        server.disk.pace(MemoryDisk.Pace.REORDERED);
        String[][] jobs = {
            {"--rw=randwrite", "--bs=4k", "--loops=4"},
            {"--rw=write", "--bsrange=512-256k", "--loops=2"},
            // Overlapping writes in flight may end as any of them, so fio keeps them apart.
            {"--rw=randwrite", "--bsrange=512-64k", "--serialize_overlap=1", "--loops=2"}
        };
        for (String[] job : jobs) {
            List<String> arguments =
                    new ArrayList<>(
                            List.of(
                                    "--name=verify",
                                    "--ioengine=nbd",
                                    "--uri=" + server.uri("disk"),
                                    "--iodepth=32",
                                    "--size=8m",
                                    "--fsync=50",
                                    "--verify=crc32c",
                                    "--verify_state_save=0",
                                    "--verify_fatal=1"));
            arguments.addAll(List.of(job));
            Peer.FIO.command(arguments).runOk();
        }
    }

    @Test
    void shouldServeEveryCommandForNbdsh() {
        Peer.NBDSH.assumeAvailable();
        String script =
                """
                import nbd
                h.set_strict_mode(0)
                h.add_meta_context("base:allocation")
                h.set_opt_mode(True)
                h.connect_uri("%s")
                names = []
                h.opt_list(lambda name, text: names.append(name))
                assert names == ["disk", "fixed", "other"], names
                h.opt_info()
                h.opt_go()
                assert h.get_structured_replies_negotiated()
                h.pwrite(b"x" * 10000, 77)
                h.pwrite(b"y" * 512, 4096, nbd.CMD_FLAG_FUA)
                assert h.pread(4, 4095) == b"xyyy"
                chunks = []
                h.pread_structured(16384, 0, lambda b, o, s, e: chunks.append((o, len(b), s)))
                assert sum(c[1] for c in chunks) == 16384, chunks
                h.pread_structured(16384, 0, lambda b, o, s, e: None, nbd.CMD_FLAG_DF)
                h.zero(4096, 0, nbd.CMD_FLAG_NO_HOLE)
                h.zero(4096, 4096, nbd.CMD_FLAG_FAST_ZERO)
                h.trim(4096, 8192, nbd.CMD_FLAG_FUA)
                h.cache(4096, 0)
                h.flush()
                extents = []
                h.block_status(65536, 0, lambda c, o, e, err: extents.extend(e))
                assert sum(extents[::2]) == 65536, extents
                h.block_status(65536, 0, lambda c, o, e, err: None, nbd.CMD_FLAG_REQ_ONE)
                for bad in (lambda: h.pread(1, h.get_size()),
                            lambda: h.pwrite(b"1", h.get_size()),
                            lambda: h.trim(1, h.get_size())):
                    try:
                        bad()
                        assert False
                    except nbd.Error as e:
                        print(e.errno)
                cookies = [h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray([i] * 4096)), i * 4096)
                           for i in range(50)]
                h.shutdown()
                """
                        .formatted(server.uri("disk"));
        String output = Peer.NBDSH.command("-c", script.stripIndent()).runOk().stdout();
        assertThat(output.lines()).containsExactly("EINVAL", "ENOSPC", "EINVAL");
        assertThat(server.disk.content(49 * 4096, 4096)).containsOnly(49);
    }

    @Test
    void shouldHaggleWithEveryOptionBeforePeersDo() throws Exception {
        // What the peers don't send: options out of their usual order.
        try (NbdClient client = NbdClient.greeted(server.unix())) {
            client.expectAck(NbdOption.STRUCTURED_REPLY, new byte[0]);
            client.expectAck(NbdOption.STRUCTURED_REPLY, new byte[0]);
            client.expectAck(NbdOption.LIST, new byte[0]);
            client.go("other");
            assertThat(client.read(0, 0, 100)).containsOnly(0);
        }
    }
}
