package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Differences from one service to another, through pipes and files, and SIGKILL of the one that
 * imports. QUOIN_IMPORT_KILL_ROUNDS says how often.
 */
@Tag("e2e")
@Timeout(1200)
class DiffStreamTest {
    private static final int ROUNDS =
            Optional.ofNullable(System.getenv("QUOIN_IMPORT_KILL_ROUNDS"))
                    .map(Integer::parseInt)
                    .orElse(4);
    private static final long SIZE_BYTES = 32L << 20;
    private static final int AREAS = 32;
    private static final int LATER_MILLIS_MAX = 120;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir private Path folder;

    private final long seed = Long.getLong("quoin.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path here;
    private Path there;

    @BeforeEach
    void makeFolders() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDCOPY, Peer.BASH);
        System.out.println("DiffStreamTest: rounds=" + ROUNDS + ", -Dquoin.seed=" + seed);
        here = Files.createDirectory(folder.resolve("here"));
        there = Files.createDirectory(folder.resolve("there"));
    }

    private static DiskServer start(Path data, Map<String, Long> disks) {
        DiskServer server = DiskServer.start(data, disks);
        Assumptions.assumeTrue(server instanceof QuoinServer);
        return server;
    }

    @Test
    void shouldGoFromServiceToServiceThroughPipes() throws IOException {
        try (DiskServer source = start(here, Map.of("vm1", SIZE_BYTES));
                DiskServer target = start(there, Map.of())) {
            write(source);
            quoin(here, "snapshot", "create", "vm1@a");
            PeerResult exported = run(here, "backup", "export-diff", "vm1", "vm1@a", "-");
            assertThat(exported.exitCode()).as("%s", exported.stderr()).isZero();
            assertThat(exported.stderr()).contains("Exported vm1@a, all of it");
            PeerResult imported =
                    command(there, "backup", "import-diff", "-", "copy", "--output", "json")
                            .stdin(exported.stdoutBytes())
                            .run();
            assertThat(imported.exitCode()).as("%s", imported).isZero();
            JsonNode result = JSON.readTree(imported.stdout());
            assertThat(result.path("snapshot").asText()).isEqualTo("a");
            assertThat(result.path("writtenBytes").asLong()).isPositive();
            requireSame(source, target, "a");

            write(source);
            quoin(here, "snapshot", "create", "vm1@b");
            Path pipe = folder.resolve("pipe");
            PeerCommand.of("mkfifo", pipe.toString()).runOk();
            try (PeerProcess export =
                    command(here, "backup", "export-diff", "vm1@a", "vm1@b", pipe.toString())
                            .start()) {
                quoin(there, "backup", "import-diff", pipe.toString(), "copy");
                export.awaitExit(LIMIT).requireSuccess();
            }
            requireSame(source, target, "b");

            PeerResult cut =
                    command(here, "backup", "import-diff", "-", "other")
                            .stdin(Arrays.copyOf(exported.stdoutBytes(), 5000))
                            .run();
            assertThat(cut.exitCode()).as("%s", cut).isEqualTo(1);
            assertThat(cut.stderr()).contains("ends early", "position=5000");
            target.stop();
            Images.requireClean(target.image("copy"));
            source.stop();
        }
    }

    /** A reader that goes away ends the export, and nothing waits for it. */
    @Test
    void shouldEndWhenTheReaderOfThePipeHasGone() throws IOException {
        try (DiskServer source = start(here, Map.of("vm1", SIZE_BYTES))) {
            write(source);
            quoin(here, "snapshot", "create", "vm1@a");
            PeerCommand head =
                    Peer.BASH.command(
                            "-c",
                            "set -o pipefail; \"$@\" | head -c 1000 >/dev/null",
                            "bash",
                            QuoinProgram.LAUNCHER.toString(),
                            "backup",
                            "export-diff",
                            "vm1",
                            "vm1@a",
                            "-",
                            "--data",
                            here.toString());
            PeerResult result = QuoinProgram.environment(head).deadline(LIMIT).run();
            assertThat(result.exitCode()).as("%s", result).isNotZero();
            assertThat(quoin(here, "job", "ls", "--all")).contains("failed");
            quoin(here, "snapshot", "rm", "vm1@a");
            source.stop();
        }
    }

    @Test
    void shouldGoOnWhenTheServiceIsKilledInAnImport() throws IOException {
        try (DiskServer source = start(here, Map.of("vm1", SIZE_BYTES))) {
            write(source);
            quoin(here, "snapshot", "create", "vm1@s0");
            Path whole = export("vm1", "s0");
            importKilled(whole, "s0");
            requireImported(source, whole, "s0");
            for (int round = 1; round <= ROUNDS; round++) {
                write(source);
                String snapshot = "s" + round;
                quoin(here, "snapshot", "create", "vm1@" + snapshot);
                Path stream = export("vm1@s" + (round - 1), snapshot);
                importKilled(stream, snapshot);
                requireImported(source, stream, snapshot);
            }
            source.stop();
        }
    }

    private Path export(String from, String to) {
        Path stream = folder.resolve(to + ".diff");
        quoin(here, "backup", "export-diff", from, "vm1@" + to, stream.toString());
        return stream;
    }

    private void importKilled(Path stream, String snapshot) throws IOException {
        try (DiskServer target = start(there, Map.of())) {
            quoin(there, "backup", "import-diff", stream.toString(), "copy", "--no-wait");
            awaitBegun();
            LockSupport.parkNanos(random.nextInt(LATER_MILLIS_MAX) * 1_000_000L);
            target.kill();
        }
        Path image = there.resolve("brick/copy.qcow2");
        if (Files.exists(image)) {
            PeerResult check = Peer.QEMU_IMG.command("check", image.toString()).run();
            assertThat(check.exitCode()).as("%s", check).isIn(0, 2, 3);
            assertThat((check.stdout() + check.stderr()).lines())
                    .as("leaks and differences of COPIED at worst")
                    .filteredOn(line -> line.startsWith("ERROR"))
                    .allSatisfy(line -> assertThat(line).contains("OFLAG_COPIED"));
            System.out.println(
                    snapshot
                            + ": mark="
                            + Files.exists(there.resolve("imports/copy"))
                            + ", qemu-img check="
                            + check.exitCode());
        }
    }

    /** The mark of changes, or the disk that is to be. */
    private void awaitBegun() throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        boolean begun = false;
        while (!begun) {
            assertThat(System.nanoTime()).as("an import that begins").isLessThan(end);
            LockSupport.parkNanos(50_000);
            try (Stream<Path> images = Files.list(there.resolve("brick"))) {
                begun =
                        Files.exists(there.resolve("imports/copy"))
                                || images.anyMatch(DiffStreamTest::isUnfinished);
            }
        }
    }

    private static boolean isUnfinished(Path image) {
        return image.getFileName().toString().startsWith("importing-");
    }

    private void requireImported(DiskServer source, Path stream, String snapshot)
            throws IOException {
        try (DiskServer target = start(there, Map.of())) {
            System.out.println(quoin(there, "backup", "import-diff", stream.toString(), "copy"));
            requireSame(source, target, snapshot);
            assertThat(quoin(there, "disk", "ls")).hasLineCount(2);
            assertThat(there.resolve("imports/copy")).doesNotExist();
            target.stop();
            Images.requireClean(target.image("copy"));
        }
    }

    private void requireSame(DiskServer source, DiskServer target, String snapshot)
            throws IOException {
        Path expected = copy(source, "vm1@" + snapshot);
        for (String export : List.of("copy@" + snapshot, "copy")) {
            assertThat(Files.mismatch(expected, copy(target, export)))
                    .as("%s, seed %d", export, seed)
                    .isEqualTo(-1);
        }
    }

    private Path copy(DiskServer server, String export) {
        Path copy = folder.resolve(export + ".copy");
        Peer.NBDCOPY.command(server.unix(export).text(), copy.toString()).runOk();
        return copy;
    }

    private void write(DiskServer server) {
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (int i = 0; i < AREAS / 2; i++) {
            String what = i % 4 == 0 ? "write -z " : "write -P " + (1 + random.nextInt(255)) + " ";
            arguments.addAll(List.of("-c", what + random.nextInt(AREAS) + "M 1M"));
        }
        arguments.addAll(List.of("-c", "flush", server.unix("vm1").text()));
        Peer.QEMU_IO.command(arguments.toArray(String[]::new)).runOk();
    }

    private static PeerCommand command(Path data, String... arguments) {
        List<String> all = new ArrayList<>(Arrays.asList(arguments));
        all.addAll(List.of("--data", data.toString()));
        return QuoinProgram.command(all).deadline(LIMIT);
    }

    private static PeerResult run(Path data, String... arguments) {
        return command(data, arguments).run();
    }

    private static String quoin(Path data, String... arguments) {
        PeerResult result = run(data, arguments);
        assertThat(result.exitCode()).as("%s", result).isZero();
        return result.stdout();
    }
}
