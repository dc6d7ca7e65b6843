package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.DiskMode;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that QEMU made: read beside the disk, and stood on. */
@Timeout(120)
class SnapshotDisksTest {
    private static final long SIZE = 4 << 20;
    private static final int BLOCK = 4096;

    @TempDir private Path path;

    @BeforeEach
    void makeADiskWithASnapshot() {
        Peer.QEMU_IMG.assumeAvailable();
        try (LocalVolume volume = open()) {
            volume.disks().create("vm1", SIZE, Map.of());
        }
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1")) {
            write(disk, 0, 1);
        }
        Peer.QEMU_IMG
                .command("snapshot", "-c", "monday", path.resolve("brick/vm1.qcow2").toString())
                .runOk();
    }

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    private static void write(Disk disk, long offset, int value) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        while (block.hasRemaining()) {
            block.put((byte) value);
        }
        disk.write(offset, block.flip());
    }

    private static int read(Disk disk, long offset) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        disk.read(offset, block);
        return block.get(BLOCK - 1);
    }

    @Test
    void shouldReadTheSnapshotWhileTheDiskIsWritten() {
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1");
                Disk then = volume.open("vm1@monday");
                Disk again = volume.open("vm1@monday", DiskMode.READ_ONLY)) {
            write(disk, 0, 2);
            disk.flush();
            assertThat(read(disk, 0)).isEqualTo(2);
            assertThat(read(then, 0)).isEqualTo(1);
            assertThat(read(again, 0)).isEqualTo(1);
            assertFails(() -> write(then, 0, 3), BlockError.EPERM, "vm1@monday");
            assertFails(
                    () -> volume.open("vm1@monday", DiskMode.READ_WRITE),
                    BlockError.EPERM,
                    "a snapshot is read-only");
            assertFails(
                    () -> volume.open("vm1@mondy"),
                    BlockError.ENOENT,
                    "no such snapshot: name=vm1@mondy");
        }
    }

    @Test
    void shouldNotTakeAFileOfThatNameForTheSnapshot() throws IOException {
        Path image = path.resolve("brick/vm1.qcow2");
        Files.copy(image, path.resolve("brick/vm1.qcow2@monday"));
        try (Volume volume = Volumes.open(path)) {
            assertFails(
                    () -> volume.open("vm1@monday"),
                    BlockError.EINVAL,
                    "name=vm1@monday, file=vm1.qcow2@monday");
            assertThat(volume.disks()).containsExactly("vm1");
        }
    }

    @Test
    void shouldListTheSnapshotsOfDisksThatAreClosed() {
        try (LocalVolume volume = open()) {
            volume.disks().create("vm2", SIZE, Map.of());
            assertThat(volume.disks().allSnapshots())
                    .extracting(SnapshotView::fullName)
                    .containsExactly("vm1@monday");
            volume.disks().list();
            assertThat(volume.disks().knownSnapshots()).containsExactly("vm1@monday");
            assertThat(volume.disks().info("vm1@monday").sizeBytes()).isEqualTo(SIZE);
            assertThat(volume.disks().info("vm1@monday").details())
                    .containsEntry("file", "vm1.qcow2@monday");
        }
    }

    @Test
    void shouldListTheOthersWhenATableIsBroken() throws IOException {
        try (LocalVolume volume = open()) {
            volume.disks().create("vm2", SIZE, Map.of());
        }
        Path other = path.resolve("brick/vm2.qcow2");
        Peer.QEMU_IMG.command("snapshot", "-c", "sunday", other.toString()).runOk();
        try (FileChannel image =
                FileChannel.open(
                        path.resolve("brick/vm1.qcow2"),
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            ByteBuffer offset = ByteBuffer.allocate(8);
            image.read(offset, 64); // snapshots_offset; the first field is an L1 table's offset
            image.write(ByteBuffer.allocate(8).putLong(0, 1), offset.getLong(0));
        }
        try (LocalVolume volume = open()) {
            assertThat(volume.disks().allSnapshots())
                    .extracting(SnapshotView::fullName)
                    .containsExactly("vm2@sunday");
            volume.disks().list();
            assertThat(volume.disks().knownSnapshots()).containsExactly("vm2@sunday");
        }
    }

    @Test
    void shouldStandOnASnapshotWhileTheDiskIsWritten() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            List<DiskView> made = disks.clone("vm1@monday", List.of("vm2", "vm3"), 0);
            assertThat(made).extracting(DiskView::sizeBytes).containsOnly(SIZE);
            disks.clone("vm2", List.of("vm4"), 0);
            assertThat(disks.children("vm1")).containsExactly("vm2", "vm3", "vm4");
            assertThat(disks.children("vm1@monday")).containsExactly("vm2", "vm3", "vm4");
            assertFails(() -> disks.remove("vm1"), BlockError.EBUSY, "vm2.qcow2, vm3.qcow2");
            disks.resize("vm1", 2 * SIZE);
            assertFails(
                    () -> disks.clone("vm1@monday", List.of("vm9"), SIZE / 2),
                    BlockError.EINVAL,
                    "template=vm1@monday");
        }
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1");
                Disk clone = volume.open("vm3")) {
            write(disk, 0, 2);
            write(clone, BLOCK, 7);
            assertThat(read(clone, 0)).isEqualTo(1);
            assertThat(read(disk, BLOCK)).isZero();
            assertFails(() -> volume.open("vm2"), BlockError.EPERM, "vm4.qcow2");
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
