package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.Stages;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that are made while a disk is written, compared while it is written on. */
@Timeout(120)
class VolumeDiffsTest {
    private static final long SIZE = 64 << 20;
    private static final long CLUSTER = 64 << 10;
    private static final int BLOCK = 4096;

    private static final CheckEvents QUIET =
            new CheckEvents() {
                @Override
                public boolean progress(long done, long total) {
                    return true;
                }

                @Override
                public void finding(String text) {}

                @Override
                public void betweenPieces() {}
            };

    @TempDir private Path path;

    @BeforeEach
    void makeADiskWithSnapshots() {
        try (LocalVolume volume = LocalVolume.open(new DataFolder(path), null, 2)) {
            volume.disks().create("vm1", SIZE, Map.of());
        }
        write(0, 1);
        snapshot("vm1@monday");
        write(0, 2);
        write(5 * CLUSTER, 2);
        snapshot("vm1@tuesday");
    }

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    private void snapshot(String name) {
        try (LocalVolume volume = open()) {
            volume.disks().snapshots().create(SnapshotName.of(name), QUIET);
        }
    }

    private void write(long offset, int value) {
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1")) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            while (block.hasRemaining()) {
                block.put((byte) value);
            }
            disk.write(offset, block.flip());
        }
    }

    @Test
    void shouldTellWhatWasWrittenBetweenTwoSnapshots() {
        write(9 * CLUSTER, 3);
        try (LocalVolume volume = open()) {
            VolumeDiffs diffs = volume.disks().diffs();
            DiffExtent first = new DiffExtent(0, CLUSTER, false);
            DiffExtent second = new DiffExtent(5 * CLUSTER, CLUSTER, false);
            DiffExtent third = new DiffExtent(9 * CLUSTER, CLUSTER, false);
            SnapshotName monday = SnapshotName.of("vm1@monday");
            assertThat(diffs.diff(monday, "vm1@tuesday", 0, 10)).containsExactly(first, second);
            assertThat(diffs.diff(monday, "vm1@tuesday", 0, 1)).containsExactly(first);
            assertThat(diffs.diff(monday, "vm1@tuesday", CLUSTER, 1)).containsExactly(second);
            assertThat(diffs.diff(monday, "vm1@monday", 0, 10)).isEmpty();
            assertThat(diffs.diff(monday, "vm1", 0, 10)).containsExactly(first, second, third);
            assertThat(diffs.diff(SnapshotName.of("vm1@tuesday"), "vm1", 0, 10))
                    .containsExactly(third);
            assertThat(diffs.diff(SnapshotName.of("vm1@tuesday"), "vm1@monday", 0, 10))
                    .containsExactly(first, new DiffExtent(5 * CLUSTER, CLUSTER, true));
        }
    }

    @Test
    void shouldRefuseTheDiskWhenItIsAttached() {
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1")) {
            assertThat(disk.sizeBytes()).isEqualTo(SIZE);
        }
        try (LocalVolume volume = open()) {
            AttachedDisk attached = Stages.await(volume.disks().attach("vm1"));
            VolumeDiffs diffs = volume.disks().diffs();
            SnapshotName monday = SnapshotName.of("vm1@monday");
            assertThat(diffs.diff(monday, "vm1@tuesday", 0, 10)).hasSize(2);
            assertThatThrownBy(() -> diffs.diff(monday, "vm1", 0, 10))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY))
                    .hasMessageContaining("name=vm1");
            assertThatThrownBy(() -> diffs.diff(monday, "vm2@tuesday", 0, 10))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("not of one disk");
            Stages.await(attached.close());
        }
    }
}
