package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL at random moments: nothing that a flush covered is lost, and no image is worse off than
 * leaked clusters. QUOIN_KILL_ROUNDS says how often, {@code -Dquoin.seed} repeats a run's choices.
 */
@Tag("e2e")
@Timeout(1200)
class KillTest {
    private static final int ROUNDS =
            Optional.ofNullable(System.getenv("QUOIN_KILL_ROUNDS"))
                    .map(Integer::parseInt)
                    .orElse(8);
    private static final int SLOTS = 512;
    private static final int BATCHES_MAX = 200;
    private static final int INTO_BATCH_NANOS_MAX = 10_000_000;
    private static final Duration BUSY_LIMIT = Duration.ofMinutes(3);
    private static final Duration GONE_LIMIT = Duration.ofSeconds(30);
    private static final String VERIFIED = "verified";

    @TempDir Path folder;

    private final long seed = Long.getLong("quoin.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Map<String, Long> disks =
            Map.of("coarse", 8L << 30, "fine", 1L << 30, VERIFIED, 256L << 20);
    private final Map<String, StampedDisk> stamped =
            Map.of(
                    "coarse", new StampedDisk(random, 8L << 30, SLOTS),
                    "fine", new StampedDisk(random, 1L << 30, SLOTS));
    private long lastStamp;
    private long flushes;
    private int leaks;

    @Test
    void shouldLoseNoFlushedWriteWhenTheServerIsKilledAtAnyMoment() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.FIO);
        System.out.println("KillTest: rounds=" + ROUNDS + ", -Dquoin.seed=" + seed);
        try (DiskServer server = DiskServer.start(folder, disks)) {
            server.stop();
            // The fine disk has small clusters, so that tables grow and fill all the time.
            Files.delete(server.image("fine"));
            String fine = server.image("fine").toString();
            Peer.QEMU_IMG
                    .command("create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", fine, "1G")
                    .runOk();
        }
        for (int round = 0; round < ROUNDS; round++) {
            round(round);
        }
        try (DiskServer server = DiskServer.start(folder, disks)) {
            for (String disk : stamped.keySet()) {
                verify(server, disk, ROUNDS);
            }
            server.stop();
            disks.keySet().forEach(disk -> Images.requireClean(server.image(disk)));
        }
        System.out.println("KillTest: flushes=" + flushes + ", images with leaks=" + leaks);
        assertThat(flushes).as("flushes answered before a kill").isGreaterThan(ROUNDS);
    }

    private void round(int round) throws Exception {
        try (DiskServer server = DiskServer.start(folder, disks)) {
            for (String disk : stamped.keySet()) {
                verify(server, disk, round);
            }
            Semaphore batches = new Semaphore(0);
            List<StampedWriter> writers =
                    stamped.entrySet().stream()
                            .map(disk -> writer(server, disk.getKey(), disk.getValue(), batches))
                            .toList();
            try (PeerProcess fio =
                    Peer.FIO.command(fioArguments(server)).directory(folder).start()) {
                writers.forEach(Thread::start);
                killAtRandomMoment(server, batches);
                for (StampedWriter writer : writers) {
                    writer.join(GONE_LIMIT.toMillis());
                    assertThat(writer.isAlive()).as("writer still waits for the dead").isFalse();
                    lastStamp = Math.max(lastStamp, writer.lastStamp());
                    flushes += writer.flushes();
                }
                PeerResult verification = fio.awaitExit(GONE_LIMIT);
                assertThat(verification.toString()).doesNotContain("verify:", "bad magic header");
            }
            for (String disk : disks.keySet()) {
                leaks += Images.requireLeaksAtWorst(server.image(disk)) ? 1 : 0;
            }
        }
    }

    /** Anywhere in a batch after some of them: by count, so that a slow machine sees as many. */
    private void killAtRandomMoment(DiskServer server, Semaphore batches)
            throws InterruptedException {
        int count = 1 + random.nextInt(BATCHES_MAX);
        assertThat(batches.tryAcquire(count, BUSY_LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("%d batches of writes within %s", count, BUSY_LIMIT)
                .isTrue();
        LockSupport.parkNanos(random.nextInt(INTO_BATCH_NANOS_MAX));
        server.kill();
    }

    private StampedWriter writer(
            DiskServer server, String name, StampedDisk disk, Semaphore batches) {
        return new StampedWriter(server.unix(name), disk, random.nextLong(), lastStamp, batches);
    }

    private List<String> fioArguments(DiskServer server) {
        return List.of(
                "--name=verified",
                "--ioengine=nbd",
                "--uri=" + server.unix(VERIFIED),
                "--rw=randrw",
                "--bsrange=4k-64k",
                "--size=64m",
                "--iodepth=8",
                "--verify=crc32c",
                "--verify_state_save=0",
                "--verify_backlog=16",
                "--verify_fatal=1",
                "--fsync=32",
                "--randseed=" + random.nextInt(Integer.MAX_VALUE),
                "--time_based",
                "--runtime=60");
    }

    private void verify(DiskServer server, String name, int round) throws IOException {
        StampedDisk disk = stamped.get(name);
        try (NbdConnection connection = NbdConnection.open(server.unix(name))) {
            for (int slot = 0; slot < disk.slots(); slot++) {
                String fault =
                        disk.settle(
                                slot, connection.read(disk.offset(slot), StampedDisk.SLOT_BYTES));
                assertThat(fault).as("disk %s, round %d, seed %d", name, round, seed).isEmpty();
            }
        }
    }
}
