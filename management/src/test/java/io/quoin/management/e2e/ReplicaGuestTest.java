package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.management.operation.DiskCreate;
import io.quoin.management.operation.VolumeCreate;
import io.quoin.management.operation.VolumeStart;
import io.quoin.testkit.peer.Peer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Linux guest that goes on while each of three bricks is killed, started again and healed. */
@Tag("e2e")
@Timeout(900)
class ReplicaGuestTest {
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration STEP_LIMIT = Duration.ofSeconds(200);
    private static final String DISK = ReplicaShape.THREE.text() + "/vm";
    private static final long DISK_BYTES = 256L << 20;

    /** What the guest writes in a round, as its script has it. */
    private static final long ROUND_BYTES = 16L << 20;

    private static final int ROUNDS_AWAY = 5;

    /** How many of the bricks, one after the other; -Dquoin.guest.bricks=3 for each. */
    private static final int KILLED = Integer.getInteger("quoin.guest.bricks", 1);

    @TempDir Path folder;

    private final List<ReplicaBrick> bricks = new ArrayList<>();
    private long rounds;

    @Test
    void shouldGoOnWhileEachBrickIsKilledAndHealed() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM);
        GuestInitramfs.assumeAvailable();
        GuestKernel kernel = GuestKernel.assumeAvailable();
        Path initramfs =
                GuestInitramfs.build(folder.resolve("initramfs.cpio"), kernel, "guest-steady.sh");
        String accelerator = Guest.accelerator(kernel, initramfs);
        try (ReplicaGateway gateway = new ReplicaGateway()) {
            serve(gateway);
            try (Guest guest = Guest.boot(kernel, initramfs, accelerator, gateway.uri(DISK))) {
                guest.await("boot", BOOT_LIMIT);
                awaitRounds(guest, 1);
                ReplicaHealth health = new ReplicaHealth(gateway, ReplicaShape.THREE);
                for (int brick = 0; brick < KILLED; brick++) {
                    killAndHeal(guest, health, brick);
                }
                awaitRounds(guest, 1);
                guest.type("stop");
                guest.await("verified", STEP_LIMIT);
                guest.await("fsck clean", STEP_LIMIT);
                assertThat(guest.awaitPowerOff().exitCode()).isZero();
                assertThat(guest.boots()).isEqualTo(1);
            }
            assertThat(gateway.stop().exitCode()).isIn(0, 143);
            requireSame();
        } finally {
            for (ReplicaBrick brick : bricks) {
                brick.close();
            }
        }
    }

    private void serve(ReplicaGateway gateway) throws Exception {
        ReplicaShape shape = ReplicaShape.THREE;
        for (int i = 0; i < shape.bricks(); i++) {
            bricks.add(new ReplicaBrick(Files.createDirectory(folder.resolve("b" + i)), i));
        }
        List<String> addresses = bricks.stream().map(brick -> brick.address().toString()).toList();
        gateway.call(VolumeCreate.TYPE, shape.create(addresses));
        gateway.call(VolumeStart.TYPE, new VolumeStart.Request(shape.text()));
        gateway.call(
                DiskCreate.TYPE,
                new DiskCreate.Request(DISK, DISK_BYTES, Map.of("format", "qcow2")));
    }

    private void awaitRounds(Guest guest, int count) {
        rounds += count;
        guest.await("round " + rounds + " ", STEP_LIMIT);
    }

    private void killAndHeal(Guest guest, ReplicaHealth health, int brick) throws Exception {
        health.awaitHealed(1, () -> {});
        health.takeMostLeftBytes();
        rounds = guest.count("round ");
        bricks.get(brick).kill();
        awaitRounds(guest, ROUNDS_AWAY);
        long writtenBytes = ROUNDS_AWAY * ROUND_BYTES;
        bricks.get(brick).start();
        health.awaitHealed(1, () -> {});
        long healedBytes = health.takeMostLeftBytes();
        System.out.printf(
                "ReplicaGuestTest: brick=%d, written MiB=%d, healed MiB=%d%n",
                brick, writtenBytes >> 20, healedBytes >> 20);
        assertThat(healedBytes).isPositive().isLessThanOrEqualTo(2 * writtenBytes);
    }

    private void requireSame() throws Exception {
        for (ReplicaBrick brick : bricks) {
            for (Path file : bricks.get(0).dataFiles()) {
                assertThat(Files.mismatch(file, brick.folder().resolve(file.getFileName())))
                        .as("%s of %s", file.getFileName(), brick.folder())
                        .isEqualTo(-1);
            }
        }
    }
}
