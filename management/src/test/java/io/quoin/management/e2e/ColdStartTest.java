package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A host that boots: all guests attach at once to images that are not in the page cache, and each
 * must read what it wrote and nothing of the others. {@code -Dquoin.storms=N} says how often.
 */
@Tag("e2e")
@Timeout(1200)
class ColdStartTest {
    private static final int GUESTS = Integer.getInteger("quoin.storm.guests", 24);
    private static final int STORMS = Integer.getInteger("quoin.storms", 3);
    private static final int BLOCKS = 16;
    private static final int BLOCK_BYTES = 64 << 10;
    private static final long DISK_BYTES = 16L << 20;
    private static final long LIMIT_SECONDS = 120;

    @TempDir Path folder;

    @Test
    void shouldKeepGuestsApartWhenTheyAllAttachToColdImages() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG);
        Map<String, Long> disks = new TreeMap<>();
        for (int guest = 0; guest < GUESTS; guest++) {
            disks.put("vm" + guest, DISK_BYTES);
        }
        List<Path> images = new ArrayList<>();
        for (int storm = 0; storm <= STORMS; storm++) {
            images.forEach(Images::dropFromPageCache);
            int stamp = storm;
            try (DiskServer server = DiskServer.start(folder, disks)) {
                if (images.isEmpty()) {
                    disks.keySet().forEach(disk -> images.add(server.image(disk)));
                } else {
                    together(guest -> boot(server.unix("vm" + guest), guest, stamp));
                }
                server.stop();
            }
        }
        images.forEach(Images::requireClean);
    }

    private interface Guest {
        void run(int guest) throws IOException;
    }

    private static void together(Guest guests) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(GUESTS);
        try {
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int i = 0; i < GUESTS; i++) {
                int guest = i;
                tasks.add(
                        () -> {
                            guests.run(guest);
                            return true;
                        });
            }
            for (Future<Boolean> done : threads.invokeAll(tasks, LIMIT_SECONDS, TimeUnit.SECONDS)) {
                assertThat(done.isCancelled()).as("a guest hangs").isFalse();
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Reads what the last boot left, stamps, flushes and reads back. */
    private static void boot(NbdUri disk, int guest, int storm) throws IOException {
        try (NbdConnection connection = NbdConnection.open(disk)) {
            for (int block = 0; block < BLOCKS; block++) {
                ByteBuffer before = connection.read((long) block * BLOCK_BYTES, BLOCK_BYTES);
                assertThat(before).isEqualTo(stamp(guest, storm - 1, block));
            }
            for (int block = 0; block < BLOCKS; block++) {
                connection.request(
                        NbdConnection.WRITE,
                        0,
                        block,
                        (long) block * BLOCK_BYTES,
                        stamp(guest, storm, block));
                connection.reply();
                connection.request(NbdConnection.FLUSH, 0, block, 0, 0);
                connection.reply();
            }
            for (int block = 0; block < BLOCKS; block++) {
                ByteBuffer after = connection.read((long) block * BLOCK_BYTES, BLOCK_BYTES);
                assertThat(after).isEqualTo(stamp(guest, storm, block));
            }
        }
    }

    /** Zeros before the first storm. */
    private static ByteBuffer stamp(int guest, int storm, int block) {
        ByteBuffer data = ByteBuffer.allocate(BLOCK_BYTES);
        while (storm > 0 && data.hasRemaining()) {
            data.putInt(guest).putInt(storm).putInt(block).putInt(data.position());
        }
        return data.rewind();
    }
}
