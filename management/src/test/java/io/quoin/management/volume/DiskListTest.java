package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.Stages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lists of disks whose images other programs change, on real files. */
@Timeout(120)
class DiskListTest {
    private static final long MIB = 1 << 20;

    @TempDir Path path;

    private DataFolder folder;
    private Path bricks;

    @BeforeEach
    void makeDisks() throws IOException {
        folder = new DataFolder(path.resolve("data"));
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            volume.disks().create("a", MIB, Map.of());
            volume.disks().create("b", 2 * MIB, Map.of());
        }
        try (var files = Files.walk(path)) {
            bricks =
                    files.filter(file -> file.endsWith("a.qcow2"))
                            .findFirst()
                            .orElseThrow()
                            .getParent();
        }
    }

    @Test
    void shouldShowWhatAnotherProgramMakesOfAnImageThatWasListed() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            // Both while a change may not show by the stamp, and when it is trusted.
            for (long size : new long[] {4 * MIB, 8 * MIB}) {
                assertThat(list(volume)).containsEntry("b", 2 * MIB);
                qemuImg("resize", "a.qcow2", String.valueOf(size));
                assertThat(list(volume)).isEqualTo(Map.of("a", size, "b", 2 * MIB));
                awaitTrustedStamps();
                assertThat(list(volume)).isEqualTo(Map.of("a", size, "b", 2 * MIB));
            }
            qemuImg("create", "-f", "qcow2", path.resolve("other").toString(), "16M");
            Files.move(
                    path.resolve("other"),
                    bricks.resolve("a.qcow2"),
                    StandardCopyOption.REPLACE_EXISTING);
            assertThat(list(volume)).containsEntry("a", 16 * MIB);
            qemuImg("create", "-F", "qcow2", "-b", "a.qcow2", "-f", "qcow2", "over.qcow2");
            assertThat(list(volume)).containsEntry("over", 16 * MIB);
            Files.delete(bricks.resolve("b.qcow2"));
            Files.write(bricks.resolve("bad.qcow2"), new byte[100]);
            assertThat(list(volume)).isEqualTo(Map.of("a", 16 * MIB, "over", 16 * MIB, "bad", 0L));
        }
    }

    @Test
    void shouldShowThePresentSizeOfADiskThatIsAttached() {
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            AttachedDisk disk = Stages.await(volume.disks().attach("a"));
            assertThat(list(volume)).containsEntry("a", MIB);
            volume.disks().resize("a", 4 * MIB);
            assertThat(list(volume)).containsEntry("a", 4 * MIB);
            assertThat(volume.disks().info("a").sizeBytes()).isEqualTo(4 * MIB);
            Stages.await(disk.close());
            assertThat(list(volume)).containsEntry("a", 4 * MIB);
        }
    }

    @Test
    void shouldSayWhyADiskCannotBeReadAndRemoveItAllTheSame() throws IOException {
        Files.write(bricks.resolve("bad.qcow2"), new byte[100]);
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            List<DiskView> disks = volume.disks().list();
            assertThat(disks).extracting(DiskView::name).containsExactly("a", "b", "bad");
            assertThat(disks.get(0).problem()).isNull();
            assertThat(disks.get(2).sizeBytes()).isZero();
            assertThat(disks.get(2).problem()).contains("bad.qcow2");

            volume.disks().remove("bad");
            assertThat(list(volume)).containsOnlyKeys("a", "b");
        }
    }

    private static Map<String, Long> list(LocalVolume volume) {
        Map<String, Long> sizes = new TreeMap<>();
        volume.disks().list().forEach(disk -> sizes.put(disk.name(), disk.sizeBytes()));
        return sizes;
    }

    private void qemuImg(String... arguments) throws IOException {
        Peer.QEMU_IMG.command(arguments).directory(bricks).runOk();
    }

    /** A change time is trusted once the clock has gone on by two seconds; it may not be set. */
    private void awaitTrustedStamps() throws IOException {
        long changed =
                ((FileTime) Files.getAttribute(bricks.resolve("a.qcow2"), "unix:ctime")).toMillis();
        while (System.currentTimeMillis() <= changed + 3000) {
            LockSupport.parkNanos(50_000_000);
        }
    }
}
