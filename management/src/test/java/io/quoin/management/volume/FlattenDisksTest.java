package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.DiskFlatten;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.Stages;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clones that are made independent, over a real folder. */
@Timeout(120)
class FlattenDisksTest {
    private static final int MIB = 1 << 20;
    private static final long SIZE = 64 * MIB;

    @TempDir private Path path;

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    @BeforeEach
    void makeAClone() {
        Peer.QEMU_IMG.assumeAvailable();
        try (LocalVolume volume = open()) {
            volume.disks().create("golden", SIZE, Map.of());
        }
        for (int mib = 0; mib < 50; mib++) {
            write("golden", (long) mib * MIB, mib + 1);
        }
        try (LocalVolume volume = open()) {
            volume.disks().clone("golden", List.of("vm1", "vm2"), 0);
        }
    }

    @Test
    void shouldLetGoOfTheTemplateWhileAClientIsAttached() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            AttachedDisk guest = Stages.await(disks.attach("vm1"));
            VolumeFlatten.Flattened done = disks.flattening().run("vm1", CheckEvents.SILENT);
            assertThat(done.parent()).isEqualTo("golden");
            assertThat(done.copiedBytes()).isEqualTo(50 * MIB);
            assertThat(disks.children("golden")).containsExactly("vm2");
            assertThat(disks.info("vm1").details()).doesNotContainKey("backing-file");
            assertThat(disks.flattening().run("vm1", CheckEvents.SILENT).parent()).isNull();
            disks.flattening().run("vm2", CheckEvents.SILENT);
            disks.remove("golden");
            disks.snapshots().create(SnapshotName.of("vm1@after"), CheckEvents.SILENT);
            Stages.await(guest.close());
        }
        for (String disk : List.of("vm1", "vm2")) {
            assertThat(read(disk, 0)).isEqualTo(1);
            assertThat(read(disk, 49 * MIB)).isEqualTo(50);
            assertThat(read(disk, 50 * MIB)).isZero();
            Path image = path.resolve("brick").resolve(disk + ".qcow2");
            Peer.QEMU_IMG.command("check", image.toString()).runOk();
        }
    }

    @Test
    void shouldGoOnWhereItWasWhenItIsStopped() {
        try (LocalVolume volume = open()) {
            VolumeFlatten flattening = volume.disks().flattening();
            assertFails(() -> flattening.run("vm1", new Stopping()), BlockError.ESHUTDOWN, "vm1");
            assertThat(volume.disks().children("golden")).containsExactly("vm1", "vm2");
            long copied = flattening.run("vm1", CheckEvents.SILENT).copiedBytes();
            assertThat(copied).isPositive().isLessThan(50 * MIB);
        }
        assertThat(read("vm1", 49 * MIB)).isEqualTo(50);
    }

    /** It ends the work when it is told for the first time. */
    private static final class Stopping implements CheckEvents {
        @Override
        public boolean progress(long done, long total) {
            assertThat(done).isPositive().isLessThan(total);
            return false;
        }
    }

    @Test
    void shouldSayWhatIsInTheWay() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("plain", SIZE, Map.of("format", "raw"));
            VolumeFlatten flattening = disks.flattening();
            assertFails(
                    () -> flattening.run("plain", CheckEvents.SILENT), BlockError.ENOTSUP, "qcow2");
            assertFails(
                    () -> flattening.run("golden", CheckEvents.SILENT),
                    BlockError.EROFS,
                    "vm1.qcow2, vm2.qcow2");
            disks.snapshots().create(SnapshotName.of("vm1@monday"), CheckEvents.SILENT);
            assertFails(
                    () -> flattening.run("vm1", CheckEvents.SILENT), BlockError.ENOTSUP, "monday");
        }
    }

    @Test
    void shouldWaitBetweenPiecesWhereItIsPaused() {
        try (LocalVolume volume = open()) {
            Counting events = new Counting();
            volume.disks().flattening().run("vm1", events);
            assertThat(events.pieces).isPositive();
            assertThat(events.done).isEqualTo(events.total).isEqualTo(SIZE);
        }
    }

    private static final class Counting implements CheckEvents {
        private int pieces;
        private long done;
        private long total;

        @Override
        public boolean progress(long nowDone, long nowTotal) {
            assertThat(nowDone).isGreaterThanOrEqualTo(done);
            done = nowDone;
            total = nowTotal;
            return true;
        }

        @Override
        public void betweenPieces() {
            pieces++;
        }
    }

    @Test
    void shouldBeAJob() {
        DataFolder folder = new DataFolder(path);
        try (LocalVolume volume = open();
                ManagedVolume managed = ManagedVolume.unserved(folder, volume.disks())) {
            JobView job = managed.call(DiskFlatten.TYPE, new DiskFlatten.Request("vm1"));
            JobView ended = JobFollower.follow(managed, job.id(), progress -> {}, line -> {});
            assertThat(ended.state()).isEqualTo(JobState.DONE);
            assertThat(volume.disks().children("golden")).containsExactly("vm2");
            assertFails(
                    () -> managed.call(DiskFlatten.TYPE, new DiskFlatten.Request("wm1")),
                    BlockError.ENOENT,
                    "did you mean vm1?");
        }
        assertThat(read("vm1", 49 * MIB)).isEqualTo(50);
    }

    private void write(String disk, long offset, int value) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(MIB);
            while (block.hasRemaining()) {
                block.put((byte) value);
            }
            open.write(offset, block.flip());
        }
    }

    private int read(String disk, long offset) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(4096);
            open.read(offset, block);
            return block.get(4095);
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
