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

/** Backups by the command line, of a disk that is served and written. */
@Tag("e2e")
@Timeout(400)
class BackupEndToEndTest {
    private static final long SIZE_BYTES = 64L << 20;
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @TempDir private Path folder;

    private Path data;
    private Path backups;
    private DiskServer server;

    @BeforeEach
    void requirePeers() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDCOPY, Peer.FIO);
        data = Files.createDirectory(folder.resolve("data"));
        backups = folder.resolve("backups");
    }

    @Test
    void shouldBackUpAndRestoreWhenTheDiskIsWritten() throws IOException {
        server = DiskServer.start(data, Map.of("vm1", SIZE_BYTES));
        try (DiskServer ending = server) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            qemuIo("write -P 5 0 32M");
            Path full;
            Path increment;
            try (PeerProcess fio = fio().start()) {
                assertThat(backUp("full")).contains("Backed up vm1 as full, full");
                full = copyOfBase();
                assertThat(backUp("i1", "--incremental", "--compress")).contains("incremental");
                increment = copyOfBase();
                assertThat(fio.alive()).as(fio.stderr()).isTrue();
                fio.terminate();
                fio.awaitExit(LIMIT);
            }
            requireSameByQemu("full", full);
            requireSameByQemu("i1", increment);
            assertThat(quoin("backup", "restore", backups.toString(), "i1", "--as", "vm2"))
                    .contains("Restored i1 as disk vm2, 64 MiB");
            assertThat(Files.mismatch(increment, copy("vm2"))).isEqualTo(-1);
            assertThat(run("snapshot", "rm", base()).stderr()).contains("--break-chain");

            assertThat(withoutVolume("backup", "ls", backups.toString()).stdout())
                    .contains("whole", "incremental")
                    .hasLineCount(3);
            assertThat(withoutVolume("backup", "verify", backups.toString()).stdout())
                    .contains("Verified 2 backups", "no faults");
            Path damaged = backups.resolve("vm1/full.qcow2");
            byte[] whole = Files.readAllBytes(damaged);
            whole[whole.length / 2] ^= 1;
            Files.write(damaged, whole);
            PeerResult found = withoutVolume("backup", "verify", backups.toString());
            assertThat(found.exitCode()).as("%s", found).isEqualTo(1);
            assertThat(found.stderr()).contains("file is damaged: file=" + damaged);
            PeerResult refused = run("backup", "restore", backups.toString(), "i1", "--as", "vm3");
            assertThat(refused.exitCode()).as("%s", refused).isEqualTo(1);
            assertThat(refused.stderr()).contains(damaged.toString());
            whole[whole.length / 2] ^= 1;
            Files.write(damaged, whole);

            PeerResult kept = withoutVolume("backup", "protect", backups.toString(), "full");
            assertThat(kept.exitCode()).as("%s", kept).isZero();
            assertThat(
                            quoin(
                                    "backup",
                                    "prune",
                                    backups.toString(),
                                    "--keep-last",
                                    "1",
                                    "--dry-run"))
                    .contains("WOULD BE", "protected", "last");
            ending.stop();
            Images.requireClean(server.image("vm1"));
            Images.requireClean(server.image("vm2"));
        }
    }

    @Test
    void shouldListNothingOfABackupThatWasKilledAndGoOnWithTheNext() throws IOException {
        server = DiskServer.start(data, Map.of("vm1", SIZE_BYTES));
        try (DiskServer ending = server) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            qemuIo("write -P 5 0 64M");
            backUp("full");
            qemuIo("write -P 6 0 64M");
            run(
                    "backup",
                    "create",
                    "vm1",
                    "--to",
                    backups.toString(),
                    "--name",
                    "killed",
                    "--no-wait");
            Path partial = backups.resolve("vm1/killed.qcow2.partial");
            for (long end = System.nanoTime() + LIMIT.toNanos();
                    !Files.exists(partial) && System.nanoTime() < end; ) {
                Thread.onSpinWait();
            }
            ending.kill();
        }
        assertThat(withoutVolume("backup", "ls", backups.toString()).stdout())
                .contains("full")
                .doesNotContain("killed");
        server = DiskServer.start(data, Map.of());
        try (DiskServer ending = server) {
            assertThat(quoin("snapshot", "ls", "vm1")).hasLineCount(3);
            assertThat(backUp("next", "--incremental")).contains("incremental");
            assertThat(quoin("snapshot", "ls", "vm1")).contains("backup-").hasLineCount(2);
            requireSameByQemu("next", copyOfBase());
            try (var files = Files.list(backups.resolve("vm1"))) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .containsExactlyInAnyOrder(
                                ".lock", "full.qcow2", "full.json", "next.qcow2", "next.json");
            }
            ending.stop();
            Images.requireClean(server.image("vm1"));
        }
    }

    @Test
    void shouldGoOnFromTheLastGoodBackupWhenTheTargetWasFull() throws IOException {
        Path small = Files.createDirectory(folder.resolve("small"));
        List<String> mount = List.of("mount", "-t", "tmpfs", "-o", "size=24m", "none");
        Assumptions.assumeTrue(
                PeerCommand.of(with(mount, small.toString())).run().exitCode() == 0,
                "needs the right to mount a tmpfs");
        try {
            backups = small.resolve("backups");
            server = DiskServer.start(data, Map.of("vm1", SIZE_BYTES));
            try (DiskServer ending = server) {
                Assumptions.assumeTrue(server instanceof QuoinServer);
                qemuIo("write -P 5 0 8M");
                backUp("full");
                qemuIo("write -P 6 0 48M");
                PeerResult refused =
                        run(
                                "backup",
                                "create",
                                "vm1",
                                "--to",
                                backups.toString(),
                                "--incremental",
                                "--name",
                                "large");
                assertThat(refused.exitCode()).as("%s", refused).isEqualTo(1);
                assertThat(refused.stderr()).contains("large.qcow2.partial", "no space left");
                assertThat(quoin("snapshot", "ls", "vm1")).hasLineCount(2);
                try (var files = Files.list(backups.resolve("vm1"))) {
                    assertThat(files.map(file -> file.getFileName().toString()))
                            .containsExactlyInAnyOrder(".lock", "full.qcow2", "full.json");
                }
                assertThat(backUp("small", "--incremental", "--compress")).contains("incremental");
                requireSameByQemu("small", copyOfBase());
                ending.stop();
            }
        } finally {
            PeerCommand.of(List.of("umount", small.toString())).run();
        }
    }

    private static List<String> with(List<String> words, String last) {
        List<String> all = new ArrayList<>(words);
        all.add(last);
        return all;
    }

    private String backUp(String name, String... options) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "backup",
                                "create",
                                "vm1",
                                "--to",
                                backups.toString(),
                                "--name",
                                name));
        arguments.addAll(List.of(options));
        return quoin(arguments.toArray(String[]::new));
    }

    /** What the snapshot has that the last backup has left. */
    private Path copyOfBase() {
        return copy(base());
    }

    private String base() {
        return quoin("snapshot", "ls", "vm1")
                .lines()
                .filter(line -> line.startsWith("vm1@backup-"))
                .map(line -> line.split(" ", -1)[0])
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    private void requireSameByQemu(String name, Path expected) throws IOException {
        Path raw = folder.resolve(name + ".raw");
        Path file = backups.resolve("vm1").resolve(name + ".qcow2");
        Peer.QEMU_IMG.command("convert", "-O", "raw", file.toString(), raw.toString()).runOk();
        assertThat(Files.mismatch(expected, raw)).as(name).isEqualTo(-1);
        Images.requireClean(file);
    }

    private Path copy(String export) {
        Path copy = folder.resolve(export + ".copy");
        Peer.NBDCOPY.command(server.unix(export).text(), copy.toString()).runOk();
        return copy;
    }

    private void qemuIo(String command) {
        Peer.QEMU_IO.command("-f", "raw", "-c", command, server.unix("vm1").text()).runOk();
    }

    private PeerCommand fio() {
        return Peer.FIO.command(
                "--ioengine=nbd",
                "--uri=" + server.unix("vm1").text(),
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

    private static PeerResult withoutVolume(String... arguments) {
        return QuoinProgram.command(List.of(arguments)).deadline(LIMIT).run();
    }

    private String quoin(String... arguments) {
        PeerResult result = run(arguments);
        assertThat(result.exitCode()).as("%s", result).isZero();
        return result.stdout();
    }
}
