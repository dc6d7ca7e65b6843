package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DiskVolumeTest {
    private static final int ROUNDS = 50;

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
}
