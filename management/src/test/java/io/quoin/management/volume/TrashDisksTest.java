package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.Stages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Removed disks that are kept, over a real folder. */
@Timeout(60)
class TrashDisksTest {
    private static final long SIZE = 1 << 20;
    private static final int BLOCK = 4096;

    @TempDir private Path path;

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 1);
    }

    private Path brick() {
        return path.resolve("brick");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(brick())) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qcow2", "raw"})
    void shouldReadAsBeforeWhenItIsRestored(String format) throws IOException {
        try (LocalVolume volume = open()) {
            volume.disks().create("vm1", SIZE, Map.of("format", format));
        }
        write("vm1", 5);
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            TrashView kept = disks.trash().put("vm1");
            assertThat(disks.list()).isEmpty();
            assertThat(kept.name()).isEqualTo("vm1");
            assertThat(kept.sizeBytes()).isEqualTo(SIZE);
            assertThat(kept.allocatedBytes()).isPositive();
            assertThat(disks.trash().list()).containsExactly(kept);
            assertFails(() -> disks.info("vm1"), BlockError.ENOENT, "no such disk");
            assertThat(files()).hasSize(1).allMatch(f -> f.startsWith("vm1." + format + ".trash-"));
        }
        try (LocalVolume volume = open()) {
            assertThat(volume.disks().trash().restore("vm1", null)).isEqualTo("vm1");
            assertThat(volume.disks().trash().list()).isEmpty();
            assertThat(files()).containsExactly("vm1." + format);
        }
        assertThat(read("vm1")).isEqualTo(5);
    }

    @Test
    void shouldKeepWhatItStandsOnUntilItIsPurged() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("golden", SIZE, Map.of());
            disks.clone("golden", List.of("vm1"), 0);
            TrashView kept = disks.trash().put("vm1");
            assertThat(disks.children("golden")).containsExactly("vm1 (in the trash)");
            String users = "used by=vm1.qcow2 (in the trash)";
            assertFails(() -> disks.remove("golden"), BlockError.EBUSY, users);
            assertFails(() -> disks.trash().put("golden"), BlockError.EBUSY, users);
            assertFails(() -> disks.resize("golden", 2 * SIZE), BlockError.EPERM, users);
            String file = files().get(1);
            assertThat(file).startsWith("vm1.qcow2.trash-");
            Peer.QEMU_IMG.command("check", "-f", "qcow2", brick().resolve(file).toString()).runOk();
            disks.trash().purge(kept.id());
            assertThat(files()).containsExactly("golden.qcow2");
            disks.resize("golden", 2 * SIZE);
        }
    }

    @Test
    void shouldReadTheTemplateAsItWasWhenItIsWrittenOnceTheTrashIsEmptyAndNotBefore() {
        try (LocalVolume volume = open()) {
            volume.disks().create("golden", SIZE, Map.of());
        }
        write("golden", 5);
        String id;
        try (LocalVolume volume = open()) {
            volume.disks().clone("golden", List.of("vm1"), 0);
            id = volume.disks().trash().put("vm1").id();
        }
        assertFails(() -> write("golden", 6), BlockError.EPERM, "vm1.qcow2 (in the trash)");
        try (LocalVolume volume = open()) {
            volume.disks().trash().restore(id, null);
        }
        assertThat(read("vm1")).isEqualTo(5);
        try (LocalVolume volume = open()) {
            volume.disks().trash().purge(volume.disks().trash().put("vm1").id());
        }
        write("golden", 6);
        assertThat(read("golden")).isEqualTo(6);
    }

    @Test
    void shouldLeaveADiskThatOthersStandOnOrUse() throws IOException {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("golden", SIZE, Map.of());
            AttachedDisk attached = Stages.await(disks.attach("golden"));
            assertFails(() -> disks.trash().put("golden"), BlockError.EBUSY, "in use");
            Stages.await(attached.close());
            disks.clone("golden", List.of("vm1"), 0);
            assertFails(() -> disks.trash().put("golden"), BlockError.EBUSY, "used by=vm1.qcow2");
            assertFails(() -> disks.trash().put("vm"), BlockError.ENOENT, "did you mean vm1?");
            assertThat(files()).containsExactly("golden.qcow2", "vm1.qcow2");
        }
    }

    @Test
    void shouldFreeTheNameAndTakeItBackOnlyWhereItIsFree() {
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            disks.create("vm1", SIZE, Map.of());
            TrashView first = disks.trash().put("vm1");
            disks.create("vm1", 2 * SIZE, Map.of("format", "raw"));
            assertFails(() -> disks.trash().restore("vm1", null), BlockError.EEXIST, "vm1");
            TrashView second = disks.trash().put("vm1");
            assertFails(() -> disks.trash().restore("vm1", null), BlockError.EINVAL, first.id());
            assertFails(() -> disks.trash().restore("wm1", null), BlockError.ENOENT, "mean vm1?");
            assertFails(() -> disks.trash().restore(first.id(), ".x"), BlockError.EINVAL, ".x");
            assertThat(disks.trash().restore(second.id(), null)).isEqualTo("vm1");
            assertThat(disks.info("vm1").sizeBytes()).isEqualTo(2 * SIZE);
            assertThat(disks.trash().restore(first.id(), "old")).isEqualTo("old");
            assertThat(disks.info("old").sizeBytes()).isEqualTo(SIZE);
        }
    }

    @Test
    void shouldPurgeWhatHasExpiredAndNothingElse() throws IOException {
        try (LocalVolume volume = open()) {
            volume.disks().create("vm1", SIZE, Map.of());
            volume.disks().create("vm2", SIZE, Map.of());
            volume.disks().trash().put("vm1");
        }
        long eightDaysAgo = java.time.Instant.now().getEpochSecond() - 8 * 86_400;
        Files.move(
                brick().resolve("vm2.qcow2"),
                brick().resolve("vm2.qcow2.trash-" + eightDaysAgo + "-0123abcd"));
        Files.writeString(brick().resolve("notes.trash-1-0123abcd"), "not a disk");
        try (LocalVolume volume = open()) {
            VolumeTrash trash = volume.disks().trash();
            assertThat(trash.list()).extracting(TrashView::name).containsExactly("vm1", "vm2");
            assertThat(trash.empty(true)).extracting(TrashView::id).containsExactly("0123abcd");
            assertThat(trash.list()).extracting(TrashView::name).containsExactly("vm1");
            assertThat(trash.empty(false)).hasSize(1);
            assertThat(files()).containsExactly("notes.trash-1-0123abcd");
        }
    }

    private void write(String disk, int value) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            while (block.hasRemaining()) {
                block.put((byte) value);
            }
            open.write(0, block.flip());
        }
    }

    private int read(String disk) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            open.read(0, block);
            return block.get(BLOCK - 1);
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
