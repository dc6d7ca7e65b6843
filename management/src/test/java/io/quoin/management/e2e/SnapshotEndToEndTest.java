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
import java.nio.file.attribute.FileTime;
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

/** A snapshot through its life, by the command line, of a disk that is served and written. */
@Tag("e2e")
@Timeout(300)
class SnapshotEndToEndTest {
    private static final long SIZE_BYTES = 64L << 20;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TempDir private Path folder;

    private Path data;
    private DiskServer server;

    @BeforeEach
    void requirePeers() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDCOPY, Peer.FIO);
        data = Files.createDirectory(folder.resolve("data"));
    }

    @Test
    void shouldServeAndCloneWhatTheDiskWasWhenItIsWritten() throws IOException {
        server = DiskServer.start(data, Map.of("vm1", SIZE_BYTES));
        try (DiskServer ending = server) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            Path image = server.image("vm1");
            qemuIo("vm1", "write -P 5 0 32M", "write -P 6 48M 4M");
            Path monday;
            Path tuesday;
            try (PeerProcess fio = fio("vm1").start()) {
                fio.awaitReady(() -> length(image) > (36 << 20), LIMIT);
                quoin("snapshot", "create", "vm1@monday");
                monday = copy("vm1@monday", "monday");
                assertThat(Files.mismatch(monday, copy("vm1@monday", "monday-again")))
                        .as("what is read while the disk is written")
                        .isEqualTo(-1);
                quoin("snapshot", "create", "vm1@tuesday");
                tuesday = copy("vm1@tuesday", "tuesday");
                quoin("disk", "clone", "vm1@monday", "vm2");
                qemuIo("vm2", "write -P 9 40M 1M");
                assertThat(fio.alive()).as(fio.stderr()).isTrue();
                quoin("snapshot", "create", "vm1@a");
                quoin("snapshot", "create", "vm1@b");
                quoin("snapshot", "rename", "vm1@a", "c");
                quoin("snapshot", "rm", "vm1@b");
                assertThat(quoin("snapshot", "ls", "vm1"))
                        .contains("vm1@monday", "vm1@tuesday", "vm1@c")
                        .hasLineCount(4);
                fio.terminate();
                fio.awaitExit(LIMIT);
            }
            requireSameAsQemu(image, "monday", monday);
            requireSameAsQemu(image, "tuesday", tuesday);
            assertThat(Files.mismatch(monday, copy("vm1@monday", "monday-last"))).isEqualTo(-1);

            Path detached = copy("vm1", "vm1");
            quoin("snapshot", "create", "vm1@detached");
            assertThat(Files.mismatch(detached, copy("vm1@detached", "detached"))).isEqualTo(-1);
            qemuIo("vm2", "read -P 9 40M 1M");

            requireRefusal("vm2", "snapshot", "rm", "vm1@monday");
            requireRefusal("vm2", "disk", "rm", "vm1");
            quoin("snapshot", "rm", "vm1@tuesday");
            quoin("disk", "rm", "--now", "vm2");
            FileTime before = modified(image);
            try (PeerProcess fio = fio("vm1").start()) {
                fio.awaitReady(() -> !modified(image).equals(before), LIMIT);
                assertThat(quoin("snapshot", "rm", "vm1@monday")).contains("Removed vm1@monday");
                fio.terminate();
                fio.awaitExit(LIMIT);
            }
            ending.stop();
            assertThat(Peer.QEMU_IMG.command("snapshot", "-l", image.toString()).runOk().stdout())
                    .contains(" c ", " detached ")
                    .doesNotContain("monday", "tuesday", " a ", " b ");
            requireSameAsQemu(image, "detached", detached);
            Images.requireClean(image);
        }
    }

    private static long length(Path image) {
        try {
            return Files.size(image);
        } catch (IOException e) {
            throw new AssertionError("cannot look at the image", e);
        }
    }

    private static FileTime modified(Path image) {
        try {
            return Files.getLastModifiedTime(image);
        } catch (IOException e) {
            throw new AssertionError("cannot look at the image", e);
        }
    }

    /** The image is checked beside the service, which has let go of it or is about to. */
    private void requireSameAsQemu(Path image, String snapshot, Path expected) throws IOException {
        Path byQemu = folder.resolve(snapshot + "-by-qemu");
        Peer.QEMU_IMG
                .command(
                        "convert",
                        "-U",
                        "-l",
                        snapshot,
                        "-O",
                        "raw",
                        image.toString(),
                        byQemu.toString())
                .runOk();
        assertThat(Files.mismatch(expected, byQemu)).as(snapshot).isEqualTo(-1);
        Files.delete(byQemu);
    }

    private Path copy(String export, String file) {
        Path copy = folder.resolve(file);
        Peer.NBDCOPY.command(uri(export), copy.toString()).runOk();
        return copy;
    }

    private String uri(String export) {
        return server.unix(export).text();
    }

    private void qemuIo(String export, String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command : commands) {
            arguments.addAll(List.of("-c", command));
        }
        arguments.add(uri(export));
        Peer.QEMU_IO.command(arguments).runOk();
    }

    private PeerCommand fio(String export) {
        return Peer.FIO.command(
                "--ioengine=nbd",
                "--uri=" + uri(export),
                "--bsrange=4k-64k",
                "--size=64m",
                "--iodepth=8",
                "--fsync=16",
                "--time_based",
                "--runtime=240",
                "--name=writer",
                "--rw=randwrite");
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
