package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real Linux guest on a served disk: the whole way from a file system down to the image file. */
@Tag("e2e")
@Timeout(600)
class GuestTest {
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration STEP_LIMIT = Duration.ofSeconds(200);
    private static final long LARGE_FILE_BYTES = 64 << 20;

    @TempDir Path folder;

    @Test
    void shouldKeepEveryFileWhenAGuestWritesDiscardsSyncsAndReboots() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM, Peer.QEMU_IMG);
        GuestInitramfs.assumeAvailable();
        GuestKernel kernel = GuestKernel.assumeAvailable();
        Path initramfs = GuestInitramfs.build(folder.resolve("initramfs.cpio"), kernel);
        String accelerator = Guest.accelerator(kernel, initramfs);
        Path data = Files.createDirectory(folder.resolve("data"));
        Map<String, Long> disks = Map.of("root", 160L << 20, "net", 64L << 20);

        String rootSum;
        String netSum;
        try (DiskServer server = DiskServer.start(data, disks);
                Guest guest =
                        Guest.boot(
                                kernel,
                                initramfs,
                                accelerator,
                                server.unix("root"),
                                server.tcp("net"))) {
            guest.await("boot", BOOT_LIMIT);
            assertThat(guest.await("trimmed", STEP_LIMIT))
                    .as(guest.transcript())
                    .satisfies(
                            bytes ->
                                    assertThat(Long.parseLong(bytes))
                                            .isGreaterThanOrEqualTo(LARGE_FILE_BYTES));
            guest.await("rebooting", STEP_LIMIT);
            guest.await("checksums /mnt 36", BOOT_LIMIT);
            guest.await("fsck vda clean", STEP_LIMIT);
            rootSum = guest.await("sha256 vda", STEP_LIMIT);

            guest.await("attached net " + (64L << 20), STEP_LIMIT);
            guest.await("fsck net clean", STEP_LIMIT);
            netSum = guest.await("sha256 net", STEP_LIMIT);
            guest.await("done", STEP_LIMIT);
            assertThat(guest.awaitPowerOff().exitCode()).isZero();
            assertThat(guest.boots()).isEqualTo(2);
            server.stop();

            verifyImage(server.image("root"), rootSum);
            verifyImage(server.image("net"), netSum);
            // The large file's clusters went back to the host: without discards it would all be
            // there.
            assertThat(allocatedBytes(server.image("root"))).isLessThan(LARGE_FILE_BYTES);
        }
    }

    private void verifyImage(Path image, String guestSum) throws Exception {
        Images.requireClean(image);
        assertThat(Images.guestSha256(image, folder.resolve("converted.raw"))).isEqualTo(guestSum);
    }

    private static long allocatedBytes(Path image) {
        return Long.parseLong(
                        PeerCommand.of("stat", "-c", "%b", image.toString())
                                .runOk()
                                .stdout()
                                .strip())
                * 512;
    }
}
