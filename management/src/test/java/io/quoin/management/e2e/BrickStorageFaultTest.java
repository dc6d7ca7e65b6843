package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The storage of one of three bricks runs full, or fails syncs, under load: guests go on. */
@Tag("e2e")
@Timeout(300)
class BrickStorageFaultTest {
    private static final int SICK = 2;
    private static final long STALL_SECONDS = 60;

    /** Below the reserve of 2 %, and enough for a log. */
    private static final long LEFT_BYTES = 4_800_000;

    @TempDir Path folder;

    private final List<ReplicaBrick> bricks = new ArrayList<>();
    private Path small;
    private Path disk;
    private ReplicaGateway gateway;
    private ReplicaVolume volume;

    @BeforeEach
    void mountSmallStorage() throws IOException {
        small = Files.createDirectory(folder.resolve("small"));
        disk = Files.createDirectory(folder.resolve("disk"));
        mount("-t", "tmpfs", "-o", "size=256m", "none", small.toString());
    }

    private static void mount(String... arguments) {
        List<String> words = new ArrayList<>(List.of("mount"));
        words.addAll(List.of(arguments));
        PeerResult mounted = PeerCommand.of(words).run();
        if (mounted.exitCode() != 0) {
            Assumptions.abort("this process may not mount: " + mounted.stderr().strip());
        }
    }

    @AfterEach
    void tearDown() throws IOException {
        if (volume != null) {
            volume.close();
        }
        for (ReplicaBrick brick : bricks) {
            brick.close();
        }
        if (gateway != null) {
            gateway.close();
        }
        PeerCommand.of("umount", "-l", disk.toString()).run();
        PeerCommand.of("umount", "-l", small.toString()).run();
    }

    private void start(Path storage) throws IOException {
        for (int index = 0; index < ReplicaShape.THREE.bricks(); index++) {
            Path above = index == SICK ? storage : folder;
            bricks.add(new ReplicaBrick(Files.createDirectory(above.resolve("b" + index)), index));
        }
        gateway = new ReplicaGateway();
        volume = new ReplicaVolume(ReplicaShape.THREE, gateway, bricks, System.nanoTime());
    }

    /** Something else takes the space. */
    private Path fill() throws IOException {
        Path other = small.resolve("other");
        long otherBytes = Files.getFileStore(small).getUsableSpace() - LEFT_BYTES;
        PeerCommand.of("fallocate", "-l", Long.toString(otherBytes), other.toString()).runOk();
        return other;
    }

    private void requireNoError() {
        volume.guests().forEach(SteadyGuest::requireNoFault);
        ReplicaVolume.requireNoStack(gateway.log());
        assertThat(volume.guests()).allSatisfy(guest -> assertThat(guest.errors()).isEmpty());
    }

    @Test
    void shouldGoOnWithoutAFullBrickAndHealItOnceThereIsSpace() throws Exception {
        start(small);
        volume.awaitHealed();
        Path other = fill();
        volume.awaitRole(SICK, "FULL");
        volume.awaitProgress(STALL_SECONDS);
        Files.delete(other);
        volume.compare();
        volume.awaitProgress(STALL_SECONDS);
        requireNoError();
    }

    /** A file system on a sparse disk: its page cache takes what the disk then has no place for. */
    @Test
    void shouldGoOnWithoutABrickWhoseSyncsFail() throws Exception {
        Path image = small.resolve("image");
        PeerCommand.of("truncate", "-s", "512M", image.toString()).runOk();
        PeerCommand.of("mkfs.ext4", "-q", "-F", "-O", "^has_journal", image.toString()).runOk();
        mount("-o", "loop", image.toString(), disk.toString());
        start(disk);
        volume.awaitHealed();
        // As far as there is space: the brick takes some meanwhile.
        PeerCommand.of("dd", "if=/dev/zero", "bs=64k", "of=" + small.resolve("other")).run();
        volume.awaitLeftOut(SICK);
        volume.awaitProgress(STALL_SECONDS);
        requireNoError();
        bricks.get(SICK).kill();
        gateway.kill();
        gateway.start();
        volume.start();
        volume.awaitProgress(STALL_SECONDS);
        requireNoError();
    }
}
