package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
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
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL of the service at each stage of a backup, and somewhat later: what is listed then is
 * whole, and the next backup works. QUOIN_BACKUP_KILL_ROUNDS says how often.
 */
@Tag("e2e")
@Timeout(1200)
class BackupKillTest {
    private static final int ROUNDS =
            Optional.ofNullable(System.getenv("QUOIN_BACKUP_KILL_ROUNDS"))
                    .map(Integer::parseInt)
                    .orElse(Stage.values().length);
    private static final long SIZE_BYTES = 32L << 20;
    private static final int AREAS = 32;
    private static final int LATER_NANOS_MAX = 20_000_000;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir private Path folder;

    private final long seed = Long.getLong("quoin.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Map<String, Path> expected = new TreeMap<>();
    private Path data;
    private Path backups;

    /** How far a backup has come, by the files that it has made. */
    private enum Stage {
        RECORD,
        PARTIAL,
        HALF,
        PLACED,
        MANIFEST,
        ENDED
    }

    @Test
    void shouldListWholeBackupsAloneAndGoOnWhenTheServiceIsKilled() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDCOPY);
        System.out.println("BackupKillTest: rounds=" + ROUNDS + ", -Dquoin.seed=" + seed);
        data = Files.createDirectory(folder.resolve("data"));
        backups = folder.resolve("backups");
        try (DiskServer server = DiskServer.start(data, Map.of("vm1", SIZE_BYTES))) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            backUpWhole(server, "full");
            server.stop();
        }
        for (int round = 0; round < ROUNDS; round++) {
            Stage stage = Stage.values()[round % Stage.values().length];
            String killed = "killed" + round;
            try (DiskServer server = DiskServer.start(data, Map.of())) {
                write(server);
                expected.put(killed, copy(server, "vm1", killed));
                quoin(arguments(killed, "--no-wait"));
                awaitStage(killed, stage);
                LockSupport.parkNanos(random.nextInt(LATER_NANOS_MAX));
                server.kill();
            }
            requireWhole(stage + " of round " + round);
            Images.requireLeaksOrUnmarkedAtWorst(data.resolve("brick/vm1.qcow2"));
            try (DiskServer server = DiskServer.start(data, Map.of())) {
                backUpWhole(server, "next" + round);
                assertThat(quoin("snapshot", "ls", "vm1"))
                        .as("one snapshot stays, after %s", stage)
                        .contains("backup-")
                        .hasLineCount(2);
                server.stop();
            }
        }
        requireWhole("end");
        try (Stream<Path> files = Files.list(backups.resolve("vm1"))) {
            assertThat(files.map(Path::toString))
                    .noneMatch(name -> name.endsWith(".partial") || name.endsWith(".pending"));
        }
        try (DiskServer server = DiskServer.start(data, Map.of())) {
            server.stop();
            Images.requireClean(server.image("vm1"));
        }
    }

    private void backUpWhole(DiskServer server, String name) {
        write(server);
        expected.put(name, copy(server, "vm1", name));
        String said = quoin(arguments(name));
        assertThat(said).contains(name.equals("full") ? "as full" : "incremental");
    }

    private static String[] with(String[] words, List<String> more) {
        List<String> all = new ArrayList<>(Arrays.asList(words));
        all.addAll(more);
        return all.toArray(String[]::new);
    }

    private String[] arguments(String name, String... options) {
        String[] create = {
            "backup", "create", "vm1", "--incremental", "--to", backups.toString(), "--name", name
        };
        return with(create, List.of(options));
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

    private Path copy(DiskServer server, String export, String name) {
        Path copy = folder.resolve(name + ".expected");
        Peer.NBDCOPY.command(server.unix(export).text(), copy.toString()).runOk();
        return copy;
    }

    private void awaitStage(String name, Stage stage) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!isReached(name, stage)) {
            assertThat(System.nanoTime()).as("%s of %s", stage, name).isLessThan(end);
            LockSupport.parkNanos(20_000);
        }
    }

    private boolean isReached(String name, Stage stage) throws IOException {
        Path place = backups.resolve("vm1");
        boolean ended = Files.exists(place.resolve(name + ".json"));
        boolean placed = ended || Files.exists(place.resolve(name + ".qcow2"));
        boolean recorded = Files.exists(place.resolve(name + ".pending"));
        Path partial = place.resolve(name + ".qcow2.partial");
        return switch (stage) {
            case RECORD -> recorded || placed;
            case PARTIAL -> placed || Files.exists(partial);
            case HALF -> placed || partial.toFile().length() > SIZE_BYTES / 6;
            case PLACED -> placed;
            case MANIFEST -> ended;
            case ENDED -> ended && !recorded;
        };
    }

    /**
     * What is listed has no fault; the newest, all at the end, read as the disk, by qemu-img alone.
     */
    private void requireWhole(String when) throws IOException {
        PeerResult verified = withoutVolume("backup", "verify", backups.toString());
        assertThat(verified.exitCode()).as("%s, seed %d: %s", when, seed, verified).isZero();
        JsonNode listed =
                JSON.readTree(
                        withoutVolume("backup", "ls", backups.toString(), "--output", "json")
                                .stdout());
        assertThat(listed).as(when).isNotEmpty();
        Path raw = folder.resolve("found.raw");
        int first = when.equals("end") ? 0 : Math.max(0, listed.size() - 2);
        for (int i = first; i < listed.size(); i++) {
            JsonNode each = listed.get(i);
            String name = each.path("name").asText();
            Path file = backups.resolve("vm1").resolve(name + ".qcow2");
            Peer.QEMU_IMG.command("convert", "-O", "raw", file.toString(), raw.toString()).runOk();
            assertThat(Files.mismatch(expected.get(name), raw))
                    .as("%s, %s, seed %d", name, when, seed)
                    .isEqualTo(-1);
        }
    }

    private String quoin(String... arguments) {
        PeerResult result = withoutVolume(with(arguments, List.of("--data", data.toString())));
        assertThat(result.exitCode()).as("%s", result).isZero();
        return result.stdout();
    }

    private static PeerResult withoutVolume(String... arguments) {
        return QuoinProgram.command(List.of(arguments)).deadline(LIMIT).run();
    }
}
