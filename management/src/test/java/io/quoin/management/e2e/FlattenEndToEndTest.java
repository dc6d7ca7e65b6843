package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A clone that is flattened by the command line while fio writes it and checks what it wrote. */
@Tag("e2e")
@Timeout(300)
class FlattenEndToEndTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @TempDir private Path folder;

    private Path data;
    private DiskServer server;

    @BeforeEach
    void requirePeers() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.FIO);
        data = Files.createDirectory(folder.resolve("data"));
    }

    @Test
    void shouldStandOnNothingWhenItIsFlattenedUnderWritesAndItsTemplateIsRemoved()
            throws IOException {
        server = DiskServer.start(data, Map.of("golden", 128L << 20));
        try (DiskServer ending = server) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            Path image = server.image("vm1");
            qemuIo("golden", "write -P 5 0 80M", "write -P 6 100M 4M");
            quoin("disk", "clone", "golden", "vm1");
            requireRefusal("vm1.qcow2", "disk", "rm", "golden");
            try (PeerProcess fio = fio().start()) {
                fio.awaitReady(() -> size(image) > (4 << 20), LIMIT);
                assertThat(quoin("disk", "flatten", "vm1"))
                        .contains("Flattened vm1, which stood on golden: ");
                assertThat(quoin("disk", "rm", "golden")).contains("in the trash until");
                assertThat(quoin("trash", "purge", "golden")).contains("Purged golden");
                PeerResult written = fio.awaitExit(LIMIT);
                assertThat(written.exitCode()).as("%s", written).isZero();
            }
            qemuIo(
                    "vm1",
                    "read -P 5 32M 48M",
                    "read -P 0 80M 20M",
                    "read -P 6 100M 4M",
                    "read -P 0 104M 24M");
            ending.stop();
            Images.requireClean(image);
            assertThat(Peer.QEMU_IMG.command("info", image.toString()).runOk().stdout())
                    .doesNotContain("backing");
            Peer.QEMU_IO
                    .command("-r", "-f", "qcow2", "-c", "read -P 5 32M 48M", image.toString())
                    .runOk();
        }
    }

    private PeerCommand fio() {
        return Peer.FIO
                .command(
                        "--ioengine=nbd",
                        "--uri=" + server.unix("vm1").text(),
                        "--bsrange=4k-64k",
                        "--size=32m",
                        "--iodepth=8",
                        "--fsync=16",
                        "--loops=3",
                        "--verify=crc32c",
                        "--verify_fatal=1",
                        "--verify_state_save=0",
                        "--name=writer",
                        "--rw=randwrite")
                .deadline(LIMIT);
    }

    private static long size(Path image) {
        try {
            return Files.size(image);
        } catch (IOException e) {
            throw new AssertionError("cannot look at the image", e);
        }
    }

    private void qemuIo(String export, String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command : commands) {
            arguments.addAll(List.of("-c", command));
        }
        arguments.add(server.unix(export).text());
        PeerResult result = Peer.QEMU_IO.command(arguments).runOk();
        assertThat(result.stdout()).doesNotContain("Pattern verification failed");
    }

    private PeerResult run(String... arguments) {
        List<String> all = new ArrayList<>(Arrays.asList(arguments));
        all.addAll(List.of("--data", data.toString()));
        return QuoinProgram.command(all).deadline(LIMIT).run();
    }

    private String quoin(String... arguments) {
        PeerResult result = run(arguments);
        assertThat(result.exitCode()).as("%s", result).isZero();
        return result.stdout();
    }

    private void requireRefusal(String words, String... arguments) {
        PeerResult result = run(arguments);
        assertThat(result.exitCode()).as("%s", result).isEqualTo(1);
        assertThat(result.stderr()).contains(words);
    }
}
