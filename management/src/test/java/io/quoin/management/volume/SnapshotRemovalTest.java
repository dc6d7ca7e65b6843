package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.JobShow;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.SnapshotRm;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots that are removed by jobs, over a real folder. */
@Timeout(120)
class SnapshotRemovalTest {
    private static final int MIB = 1 << 20;
    private static final SnapshotName MONDAY = SnapshotName.of("vm1@monday");

    @TempDir private Path path;

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    private ManagedVolume managed(LocalVolume volume) {
        return ManagedVolume.unserved(new DataFolder(path), volume.disks());
    }

    @BeforeEach
    void makeADiskWithASnapshot() {
        Peer.QEMU_IMG.assumeAvailable();
        try (LocalVolume volume = open()) {
            volume.disks().create("vm1", 64L * MIB, Map.of());
        }
        write(8, 1);
        create();
        write(3, 2);
    }

    private void create() {
        try (LocalVolume volume = open()) {
            volume.disks().snapshots().create(MONDAY, CheckEvents.SILENT);
        }
    }

    private void write(int mebibytes, int value) {
        try (Volume volume = Volumes.open(path);
                Disk disk = volume.open("vm1")) {
            for (int i = 0; i < mebibytes; i++) {
                ByteBuffer block = ByteBuffer.allocateDirect(MIB);
                while (block.hasRemaining()) {
                    block.put((byte) value);
                }
                disk.write((long) i * MIB, block.flip());
            }
        }
    }

    private static JobView run(ManagedVolume managed, String snapshot, boolean dryRun) {
        JobView job =
                managed.call(
                        SnapshotRm.TYPE,
                        new SnapshotRm.Request("vm1", snapshot, null, dryRun, null));
        return JobFollower.follow(managed, job.id(), progress -> {}, line -> {});
    }

    private static long freedBytes(JobView job) {
        assertThat(job.state()).as("%s", job).isEqualTo(JobState.DONE);
        Object freed = job.result() == null ? null : job.result().get("freedBytes");
        assertThat(freed).isInstanceOf(Number.class);
        return freed instanceof Number number ? number.longValue() : -1;
    }

    @Test
    void shouldTellWhatARemovalFreesAndChangeNothingWhenItIsADryRun() {
        try (LocalVolume volume = open();
                ManagedVolume managed = managed(volume)) {
            long would = freedBytes(run(managed, "monday", true));
            // Three MiB, the L1 and the L2 table, and the table of snapshots, in clusters of 64
            // KiB.
            assertThat(would).isEqualTo(3 * MIB + 3 * (64 << 10));
            assertThat(freedBytes(run(managed, "1", true))).isEqualTo(would);
            assertThat(volume.disks().snapshots().of("vm1")).hasSize(1);
            long freed = freedBytes(run(managed, "monday", false));
            assertThat(freed).as("holes in its tables take no space").isBetween(3L * MIB, would);
            assertThat(volume.disks().snapshots().of("vm1")).isEmpty();
        }
        Path image = path.resolve("brick/vm1.qcow2");
        Peer.QEMU_IMG.command("check", image.toString()).runOk();
    }

    @Test
    void shouldRemoveTheSnapshotThatWasMeantWhenTheServiceEndedBefore() throws IOException {
        Path image = path.resolve("brick/vm1.qcow2");
        byte[] before = Files.readAllBytes(image);
        String id;
        try (LocalVolume volume = open();
                ManagedVolume managed = managed(volume)) {
            JobView job = run(managed, "monday", false);
            assertThat(freedBytes(job)).isPositive();
            id = job.id();
        }
        Files.write(image, before);
        makeRunning(id);
        try (LocalVolume volume = open();
                ManagedVolume managed = managed(volume)) {
            JobView job = JobFollower.follow(managed, id, progress -> {}, line -> {});
            assertThat(freedBytes(job)).isGreaterThanOrEqualTo(3L * MIB);
            assertThat(volume.disks().snapshots().of("vm1")).isEmpty();
        }
        create();
        makeRunning(id);
        try (LocalVolume volume = open();
                ManagedVolume managed = managed(volume)) {
            JobView job = JobFollower.follow(managed, id, progress -> {}, line -> {});
            assertThat(job.state()).isEqualTo(JobState.DONE);
            assertThat(volume.disks().snapshots().of("vm1")).as("another monday").hasSize(1);
            assertThat(managed.call(JobShow.TYPE, new JobShow.Request(id)).state())
                    .isEqualTo(JobState.DONE);
        }
        Peer.QEMU_IMG.command("check", image.toString()).runOk();
    }

    /** As a process leaves it that is killed. */
    private void makeRunning(String id) throws IOException {
        Path file = path.resolve("jobs").resolve(id + ".json");
        String content = Files.readString(file);
        String running = content.replaceFirst("\"state\":\"done\"", "\"state\":\"running\"");
        assertThat(running).isNotEqualTo(content);
        Files.writeString(file, running);
    }
}
