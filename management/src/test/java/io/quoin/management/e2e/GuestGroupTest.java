package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Linux guest writes numbers to two disks, each to the second once it is durable on the first,
 * while groups of snapshots are made. A guest that has clones of them finds them in step.
 */
@Tag("e2e")
@Timeout(900)
class GuestGroupTest {
    private static final int GROUPS = 3;
    private static final int STAMPS_BETWEEN = 3;
    private static final String STAMP = "QUOIN stamp ";
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration STEP_LIMIT = Duration.ofSeconds(200);

    @TempDir private Path folder;

    private Path data;
    private GuestKernel kernel;
    private Path initramfs;
    private String accelerator;

    @Test
    void shouldHaveTheDisksInStepWhenAGuestWritesToOneAfterTheOther() throws Exception {
        Peer.assumeAll(Peer.QEMU_SYSTEM, Peer.QEMU_IMG);
        GuestInitramfs.assumeAvailable();
        kernel = GuestKernel.assumeAvailable();
        initramfs = GuestInitramfs.build(folder.resolve("initramfs.cpio"), kernel);
        accelerator = Guest.accelerator(kernel, initramfs);
        data = Files.createDirectory(folder.resolve("data"));
        try (DiskServer server =
                DiskServer.start(data, Map.of("first", 64L << 20, "second", 64L << 20))) {
            Assumptions.assumeTrue(server instanceof QuoinServer);
            List<Long> durable = makeGroups(server);
            List<NbdUri> clones = new ArrayList<>();
            for (int group = 0; group < GROUPS; group++) {
                for (String disk : List.of("first", "second")) {
                    String clone = disk + "-" + group;
                    quoin("disk", "clone", disk + "@g" + group, clone);
                    clones.add(server.unix(clone));
                }
            }
            requireInStep(clones, durable);
            server.stop();
            Images.requireClean(server.image("first"));
            Images.requireClean(server.image("second"));
        }
    }

    /** The number that was durable on both before each group was asked for. */
    private List<Long> makeGroups(DiskServer server) {
        List<Long> durable = new ArrayList<>();
        List<NbdUri> disks = List.of(server.unix("first"), server.unix("second"));
        try (Guest guest = Guest.boot(kernel, initramfs, accelerator, "quoin.stamps=1", disks)) {
            guest.await("boot", BOOT_LIMIT);
            for (int group = 0; group < GROUPS; group++) {
                durable.add(awaitMore(guest));
                quoin("snapshot", "create", "--group", "g" + group, "first", "second");
            }
            awaitMore(guest);
        }
        return durable;
    }

    /** Some more numbers; the last of them. */
    private static long awaitMore(Guest guest) {
        long told =
                guest.transcript()
                        .lines()
                        .filter(line -> line.startsWith(STAMP))
                        .mapToLong(line -> Long.parseLong(line.substring(STAMP.length()).strip()))
                        .max()
                        .orElse(0);
        long wanted = told + STAMPS_BETWEEN;
        guest.await("stamp " + wanted, STEP_LIMIT);
        return wanted;
    }

    private void requireInStep(List<NbdUri> clones, List<Long> durable) {
        try (Guest guest = Guest.boot(kernel, initramfs, accelerator, "quoin.look=1", clones)) {
            guest.await("boot", BOOT_LIMIT);
            for (int group = 0; group < GROUPS; group++) {
                long first = found(guest, 2 * group);
                long second = found(guest, 2 * group + 1);
                assertThat(first - second)
                        .as("g%d: %d, %d", group, first, second)
                        .isBetween(0L, 1L);
                assertThat(second).isGreaterThanOrEqualTo(durable.get(group));
            }
            guest.await("done", STEP_LIMIT);
            assertThat(guest.awaitPowerOff().exitCode()).isZero();
        }
    }

    private static long found(Guest guest, int index) {
        String disk = "vd" + (char) ('a' + index);
        long stamp = Long.parseLong(guest.await("found " + disk, STEP_LIMIT));
        guest.await("fsck " + disk + " clean", STEP_LIMIT);
        return stamp;
    }

    private void quoin(String... arguments) {
        List<String> all = new ArrayList<>(Arrays.asList(arguments));
        all.addAll(List.of("--data", data.toString()));
        PeerResult result = QuoinProgram.command(all).run();
        assertThat(result.exitCode()).as("%s", result).isZero();
    }
}
