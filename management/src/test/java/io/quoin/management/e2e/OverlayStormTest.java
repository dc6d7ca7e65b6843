package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many guests that start at once, on overlays of one disk that has not been read for a while. */
@Timeout(300)
class OverlayStormTest {
    private static final long SIZE = 64 << 20;
    private static final int GUESTS = 24;
    private static final int ROUNDS = 3;
    private static final int STAMPS = 8;
    private static final int STAMP_BYTES = 4096;
    private static final long STRIDE = 5_000_192;
    private static final byte BASE = 7;

    private final SocketFolder sockets = SocketFolder.create();
    private final DataFolder folder = new DataFolder(sockets.resolve("data"));
    private final Path brick = folder.path().resolve("brick");

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    private NbdUri uri(String disk) {
        return NbdUri.unix(folder.nbdSocket(), disk);
    }

    private Daemon serve() {
        return Daemon.start(
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test"));
    }

    private void make() throws IOException {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            volume.disks().create("base", SIZE, Map.of());
        }
        try (Daemon daemon = serve();
                NbdConnection base = NbdConnection.open(uri("base"))) {
            assertThat(daemon.disks()).hasSize(1);
            ByteBuffer data = ByteBuffer.allocate(1 << 20);
            java.util.Arrays.fill(data.array(), BASE);
            for (long at = 0; at < SIZE; at += data.capacity()) {
                base.request(NbdConnection.WRITE, 0, 1, at, data.clear());
                base.reply();
            }
            base.request(NbdConnection.FLUSH, 0, 1, 0, 0);
            base.reply();
        }
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            for (int i = 0; i < GUESTS; i++) {
                volume.disks()
                        .create(
                                "vm" + i,
                                SIZE,
                                Map.of("backing_file", "base.qcow2", "backing_fmt", "qcow2"));
            }
        }
    }

    @Test
    void shouldServeManyOverlaysOfOneDiskWhenAllStartAtOnceAndCold() throws Exception {
        Peer.QEMU_IMG.assumeAvailable();
        make();
        ExecutorService guests = Executors.newFixedThreadPool(GUESTS);
        try {
            for (int round = 1; round <= ROUNDS; round++) {
                dropCaches();
                try (Daemon daemon = serve()) {
                    assertThat(daemon.disks()).hasSize(GUESTS + 1);
                    List<Future<?>> running = new ArrayList<>();
                    for (int i = 0; i < GUESTS; i++) {
                        int guest = i;
                        int now = round;
                        running.add(
                                guests.submit(
                                        () -> {
                                            runGuest(guest, now);
                                            return null;
                                        }));
                    }
                    for (Future<?> guest : running) {
                        guest.get(120, TimeUnit.SECONDS);
                    }
                }
                for (int i = 0; i < GUESTS; i++) {
                    requireConsistent("vm" + i);
                }
                requireConsistent("base");
            }
        } finally {
            guests.shutdownNow();
        }
    }

    /** Finds what it wrote in the round before beside what the base has, and writes anew. */
    private void runGuest(int guest, int round) throws IOException {
        try (NbdConnection disk = NbdConnection.open(uri("vm" + guest))) {
            for (int i = 0; i < STAMPS; i++) {
                long at = i * STRIDE;
                byte[] found = disk.read(at, 2 * STAMP_BYTES).array();
                byte[] expected = new byte[2 * STAMP_BYTES];
                java.util.Arrays.fill(expected, BASE);
                if (round > 1) {
                    System.arraycopy(stamp(guest, round - 1, i), 0, expected, 0, STAMP_BYTES);
                }
                assertThat(found)
                        .as("guest %d, round %d, at %d", guest, round, at)
                        .isEqualTo(expected);
                disk.request(
                        NbdConnection.WRITE, 0, 1, at, ByteBuffer.wrap(stamp(guest, round, i)));
                disk.reply();
            }
            disk.request(NbdConnection.FLUSH, 0, 1, 0, 0);
            disk.reply();
            for (int i = 0; i < STAMPS; i++) {
                assertThat(disk.read(i * STRIDE, STAMP_BYTES).array())
                        .isEqualTo(stamp(guest, round, i));
            }
        }
    }

    private static byte[] stamp(int guest, int round, int index) {
        byte[] stamp = new byte[STAMP_BYTES];
        ByteBuffer.wrap(stamp).putInt(guest).putInt(round).putInt(index);
        return stamp;
    }

    private void requireConsistent(String disk) {
        String file = brick.resolve(disk + ".qcow2").toString();
        Peer.QEMU_IMG.command("check", "-q", "-f", "qcow2", file).runOk();
    }

    /** Out of the page cache, as after the start of the host. */
    private void dropCaches() throws IOException {
        try (Stream<Path> files = Files.list(brick)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                PeerCommand.of("dd", "if=" + file, "of=/dev/null", "iflag=nocache", "count=0")
                        .runOk();
            }
        }
    }

    @Test
    void shouldExportADiskReadOnlyWhileOthersStandOnIt() throws IOException {
        make();
        try (Daemon daemon = serve();
                NbdConnection base = NbdConnection.open(uri("base"))) {
            assertThat(daemon.disks()).hasSize(GUESTS + 1);
            assertThat(base.read(0, 512).array()).containsOnly(BASE);
            ByteBuffer data = ByteBuffer.allocate(512);
            base.request(NbdConnection.WRITE, 0, 9, 0, data);
            assertThatThrownBy(base::reply).hasMessageContaining("answered with error 1");
            base.request(NbdConnection.TRIM, 0, 9, 0, 4096);
            assertThatThrownBy(base::reply).hasMessageContaining("answered with error 1");
            base.request(NbdConnection.WRITE_ZEROES, 0, 9, 0, 4096);
            assertThatThrownBy(base::reply).hasMessageContaining("answered with error 1");
            assertThat(base.read(0, 512).array()).containsOnly(BASE);
        }
    }
}
