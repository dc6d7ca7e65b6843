package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DiskVolumeTest {
    private static final int ROUNDS = 50;
    private static final int DISKS = 8;

    @TempDir Path path;

    @Test
    void shouldWaitForALookUpOfNamesWhenItIsClosed() {
        DataFolder folder = new DataFolder(path.resolve("data"));
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            for (String name : new String[] {"vm1", "vm2", "vm3"}) {
                volume.disks().create(name, 1 << 20, Map.of());
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
                assertThat(volume.disks().knownNames()).isEmpty();
            }
        }
    }

    @Test
    void shouldWaitForListsWhenItIsClosedMeanwhile() {
        DataFolder folder = new DataFolder(path.resolve("data"));
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            for (int i = 0; i < DISKS; i++) {
                volume.disks().create("vm" + i, 1 << 20, Map.of());
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            CompletableFuture<List<DiskView>> listing;
            try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
                CountDownLatch started = new CountDownLatch(1);
                listing =
                        CompletableFuture.supplyAsync(
                                () -> {
                                    started.countDown();
                                    return volume.disks().list();
                                });
                assertThat(started).satisfies(CountDownLatch::await);
            }
            BlockException refusal =
                    listing.handle((disks, failure) -> failure)
                            .thenApply(f -> f == null ? null : Stages.asBlockException(f))
                            .join();
            if (refusal == null) {
                assertThat(listing.join()).hasSize(DISKS);
            } else {
                assertThat(refusal.error()).isEqualTo(BlockError.ESHUTDOWN);
            }
        }
    }
}
