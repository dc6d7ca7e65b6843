package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.DiskMode;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Disks that others stand on, in a volume on real files. */
@Timeout(120)
class ParentDisksTest {
    private static final long SIZE = 1 << 20;
    private static final String USED = "used by=ov.qcow2";

    @TempDir private Path path;

    private void makeBaseAndOverlay(DiskVolume disks) {
        disks.create("base", SIZE, Map.of());
        overlay(disks, "ov", "base.qcow2", "qcow2");
    }

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    @Test
    void shouldAttachADiskReadOnlyAndRefuseChangesWhileOthersStandOnIt() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            makeBaseAndOverlay(disks);
            AttachedDisk base = Stages.await(disks.attach("base"));
            assertThat(base.file().capabilities().canWrite()).isFalse();
            assertThat(disks.info("base").details().get("read-only")).asString().contains(USED);
            assertFails(() -> disks.resize("base", 2 * SIZE), BlockError.EPERM, USED);
            assertFails(
                    () -> disks.check("base", true, CheckEvents.SILENT), BlockError.EPERM, USED);
            assertThat(disks.check("base", false, CheckEvents.SILENT)).isPresent();
            overlay(disks, "ov2", "base.qcow2", "qcow2"); // readers exclude no other
            Stages.await(base.close());
            assertFails(() -> disks.remove("base"), BlockError.EBUSY, "ov.qcow2, ov2.qcow2");

            AttachedDisk ov = Stages.await(disks.attach("ov"));
            assertThat(ov.file().capabilities().canWrite()).isTrue();
            Stages.await(ov.close());
            disks.remove("ov");
            disks.remove("ov2");
            disks.resize("base", 2 * SIZE);
            disks.remove("base");
        }
    }

    @Test
    void shouldNameWhoIsAttachedWhenADiskCannotBecomeABackingFile() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("base", SIZE, Map.of());
            AttachedDisk base = Stages.await(disks.attach("base"));
            assertFails(
                    () -> overlay(disks, "ov", "base.qcow2", "qcow2"),
                    BlockError.EBUSY,
                    "disk in use: name=base, connections=1");
            assertThat(disks.list()).extracting(DiskView::name).containsExactly("base");
            Stages.await(base.close());
            overlay(disks, "ov", "base.qcow2", "qcow2");
        }
    }

    @Test
    void shouldSeeFilesThatAreCopiedInAndRemovedByHand() throws IOException {
        Path brick = path.resolve("brick");
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            makeBaseAndOverlay(disks);
            byte[] ov = Files.readAllBytes(brick.resolve("ov.qcow2"));
            Files.delete(brick.resolve("ov.qcow2"));
            disks.resize("base", 2 * SIZE);
            Files.write(brick.resolve("ov.qcow2"), ov);
            assertFails(() -> disks.resize("base", 3 * SIZE), BlockError.EPERM, USED);
            Files.move(brick.resolve("ov.qcow2"), brick.resolve("moved.qcow2"));
            assertFails(() -> disks.remove("base"), BlockError.EBUSY, "used by=moved.qcow2");

            // Written over in place: not the file's name nor its size tells.
            byte[] free = ov.clone();
            ByteBuffer.wrap(free).putLong(8, 0).putInt(16, 0);
            Files.write(brick.resolve("moved.qcow2"), free);
            disks.resize("base", 3 * SIZE);
        }
    }

    @Test
    void shouldOpenForReadingAloneWhenAProgramWantsADiskThatOthersStandOn() {
        try (LocalVolume volume = open()) {
            makeBaseAndOverlay(volume.disks());
        }
        try (Volume volume = Volumes.open(path)) {
            assertFails(() -> volume.open("base").close(), BlockError.EPERM, USED);
            try (Disk base = volume.open("base", DiskMode.READ_ONLY);
                    Disk ov = volume.open("ov")) {
                assertThat(base.capabilities().canWrite()).isFalse();
                assertThatThrownBy(() -> base.write(0, ByteBuffer.allocateDirect(512)))
                        .isInstanceOfSatisfying(
                                BlockException.class,
                                e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
                ov.write(0, ByteBuffer.allocateDirect(512));
            }
        }
    }

    @Test
    void shouldKeepARawDiskThatIsABackingFileOrADataFile() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("base", SIZE, Map.of("format", "raw"));
            overlay(disks, "ov", "base.raw", "raw");
            disks.create("vm", SIZE, Map.of("data_file", "data.raw"));
            assertFails(() -> disks.resize("base", 2 * SIZE), BlockError.EPERM, USED);
            assertFails(() -> disks.remove("base"), BlockError.EBUSY, USED);
            assertFails(() -> disks.remove("data"), BlockError.EBUSY, "used by=vm.qcow2");
            AttachedDisk vm = Stages.await(disks.attach("vm"));
            AttachedDisk data = Stages.await(disks.attach("data"));
            assertThat(vm.file().capabilities().canWrite()).isTrue();
            assertThat(data.file().capabilities().canWrite()).isFalse();
            Stages.await(data.close());
            Stages.await(vm.close());
        }
    }

    private static void overlay(DiskVolume disks, String name, String backing, String format) {
        disks.create(name, SIZE, Map.of("backing_file", backing, "backing_fmt", format));
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
