package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.daemon.Daemon;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Flipped bits on bricks that a scrub finds, and repairs where it can. */
@Timeout(180)
@SuppressWarnings("try") // a service runs meanwhile
class VolumeScrubTest {
    private static final long WRITTEN_AT = 1 << 20;
    private static final long DISK_BYTES = 20 << 20;
    private static final int BLOCK_BYTES = 4096;
    private static final long SUMS_BYTES = (WRITTEN_AT + (2 << 20)) / BLOCK_BYTES * Integer.BYTES;
    private static final long QUIET_MILLIS = 2000;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final QuoinCommands quoin = new QuoinCommands();

    @BeforeEach
    void needTheClient() {
        Peer.assumeAll(Peer.QEMU_IO);
    }

    @AfterEach
    void removeTheFolder() {
        quoin.close();
    }

    private Path brick(int number) {
        return quoin.path("b" + number);
    }

    private void create() {
        quoin.ok("volume", "create", "vms", "replica", "3", brick(0), brick(1), brick(2), "force");
        quoin.ok("volume", "start", "vms");
    }

    /** Keeps the disk attached until each brick has checksums of what was written. */
    private void writeAndBind(Daemon daemon) throws IOException {
        String uri = daemon.addresses().uris("vms/vm1").get(0);
        List<String> words =
                List.of("-f", "raw", "-c", "write -P 7 1M 2M", "-c", "sleep 100000", uri);
        try (PeerProcess guest = Peer.QEMU_IO.command(words).start()) {
            for (int number = 0; number < 3; number++) {
                String data = copy(number).toString();
                Path sums = Path.of(data.replace(".data", ".csum"));
                guest.awaitReady(() -> sums.toFile().length() >= SUMS_BYTES, LIMIT);
            }
            guest.awaitReady(this::isQuiet, LIMIT);
        }
    }

    /** Whether the logs of the bricks have not changed for a while: regions are clean. */
    private boolean isQuiet() {
        long now = System.currentTimeMillis();
        return IntStream.range(0, 3)
                .allMatch(
                        number ->
                                now - brick(number).resolve("meta.log").toFile().lastModified()
                                        > QUIET_MILLIS);
    }

    /** The copy of the raw disk on a brick. */
    private Path copy(int number) throws IOException {
        try (Stream<Path> files = Files.list(brick(number))) {
            return files.filter(file -> file.toString().endsWith(".data"))
                    .filter(file -> file.toFile().length() == DISK_BYTES)
                    .findFirst()
                    .orElseThrow();
        }
    }

    private void flip(int number, int block) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(copy(number).toFile(), "rw")) {
            long at = WRITTEN_AT + (long) block * BLOCK_BYTES + 100;
            file.seek(at);
            int old = file.read();
            file.seek(at);
            file.write(old ^ 8);
        }
    }

    @Test
    @LogsErrors("block is not what was bound")
    void shouldRepairWhatIsCorruptAndTellWhatCannotBe() throws IOException {
        create();
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/vm1", DISK_BYTES, "--format", "raw");
            writeAndBind(daemon);
            assertThat(quoin.ok("volume", "scrub", "vms", "status"))
                    .contains("vms has not been scrubbed");
            assertThat(quoin.fails("volume", "scrub", "vms", "stop"))
                    .contains("volume is not being scrubbed");
        }
        flip(1, 3);
        flip(1, 9);
        flip(2, 200);
        flip(0, 60);
        quoin.ok("volume", "assemble", brick(0), brick(1), brick(2), "--to", quoin.path("out"));
        byte[] whole = Files.readAllBytes(quoin.path("out").resolve("vm1.raw"));
        byte[] expected = new byte[(int) DISK_BYTES];
        Arrays.fill(expected, (int) WRITTEN_AT, (int) WRITTEN_AT + (2 << 20), (byte) 7);
        assertThat(Arrays.mismatch(whole, expected)).isEqualTo(-1);
        try (Daemon daemon = quoin.serve()) {
            JsonNode found = quoin.json("volume", "scrub", "vms");
            assertThat(found.path("files").asInt()).isEqualTo(2);
            assertThat(found.path("bytes").asLong()).isGreaterThan(DISK_BYTES);
            assertThat(found.path("corrupt").asInt()).isEqualTo(4);
            assertThat(found.path("repaired").asInt()).isEqualTo(4);
            assertThat(found.path("unrepaired").asInt()).isZero();
            assertThat(found.path("unfinished").asInt()).isZero();
        }
        assertThat(Files.mismatch(copy(0), copy(1))).isEqualTo(-1);
        assertThat(Files.mismatch(copy(0), copy(2))).isEqualTo(-1);
        for (int number = 0; number < 3; number++) {
            flip(number, 300); // in a region that was not repaired just now
        }
        try (Daemon daemon = quoin.serve()) {
            assertThat(quoin.fails("volume", "scrub", "vms"))
                    .contains("blocks are corrupt on every brick: name=vms, blocks=3");
            assertThat(quoin.ok("volume", "status", "vms"))
                    .contains("Last scrub: ", "corrupt blocks=3, repaired=0, not repairable=3");
            JsonNode last = quoin.json("volume", "status", "vms").path("lastScrub");
            assertThat(last.path("found").path("corrupt").asInt()).isEqualTo(3);
            assertThat(last.has("failure")).isFalse();
        }
    }

    @Test
    void shouldRefuseAVolumeWithoutCopies() {
        quoin.ok("volume", "create", "one", brick(5), "force");
        quoin.ok("volume", "start", "one");
        assertThat(quoin.fails("volume", "scrub", "one")).contains("volume has no copies");
    }
}
