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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates and their clones, in a volume on real files. */
@Timeout(120)
class CloneDisksTest {
    private static final long SIZE = 4 << 20;
    private static final int BLOCK = 4096;

    @TempDir private Path path;

    private LocalVolume open() {
        return LocalVolume.open(new DataFolder(path), null, 2);
    }

    private void makeTemplate(String format) {
        try (LocalVolume volume = open()) {
            volume.disks().create("golden", SIZE, Map.of("format", format));
        }
        write("golden", 0, 1);
        write("golden", SIZE - BLOCK, 2);
    }

    private void write(String disk, long offset, int value) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            while (block.hasRemaining()) {
                block.put((byte) value);
            }
            open.write(offset, block.flip());
        }
    }

    private int read(String disk, long offset) {
        try (Volume volume = Volumes.open(path);
                Disk open = volume.open(disk)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            open.read(offset, block);
            return block.get(BLOCK - 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qcow2", "raw"})
    void shouldReadAsTheTemplateAndKeepItsOwnWritesWhenCloned(String format) {
        makeTemplate(format);
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            List<DiskView> made = disks.clone("golden", List.of("vm1", "vm2"), 0);
            assertThat(made).extracting(DiskView::name).containsExactly("vm1", "vm2");
            assertThat(made).extracting(DiskView::sizeBytes).containsOnly(SIZE);
            assertThat(made).allMatch(disk -> disk.allocatedBytes() <= 256 << 10);
            assertThat(disks.children("golden")).containsExactly("vm1", "vm2");
            assertThat(disks.children("vm1")).isEmpty();
        }
        write("vm1", BLOCK, 7);
        assertThat(read("vm1", 0)).isEqualTo(1);
        assertThat(read("vm1", BLOCK)).isEqualTo(7);
        assertThat(read("vm1", SIZE - BLOCK)).isEqualTo(2);
        assertThat(read("vm2", BLOCK)).isZero();
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            assertFails(() -> disks.remove("golden"), BlockError.EBUSY, "vm1.qcow2, vm2.qcow2");
            assertFails(() -> disks.resize("golden", 2 * SIZE), BlockError.EPERM, "vm1.qcow2");
            disks.remove("vm1");
            disks.remove("vm2");
            disks.resize("golden", 2 * SIZE);
        }
    }

    @Test
    void shouldBeReadByQemuWithTheBytesOfTheTemplate() {
        Peer.QEMU_IMG.assumeAvailable();
        makeTemplate("qcow2");
        try (LocalVolume volume = open()) {
            volume.disks().clone("golden", List.of("vm1"), 2 * SIZE);
            volume.disks().clone("vm1", List.of("vm2"), 0);
        }
        Path brick = path.resolve("brick");
        for (String clone : List.of("vm1.qcow2", "vm2.qcow2")) {
            Peer.QEMU_IMG.command("check", brick.resolve(clone).toString()).runOk();
            Peer.QEMU_IMG
                    .command(
                            "compare",
                            brick.resolve("golden.qcow2").toString(),
                            brick.resolve(clone).toString())
                    .runOk();
        }
    }

    @Test
    void shouldSayWhatIsInTheWayAndHowManyWereMade() {
        makeTemplate("qcow2");
        try (LocalVolume volume = open()) {
            DiskVolume disks = volume.disks();
            AttachedDisk golden = Stages.await(disks.attach("golden"));
            assertFails(
                    () -> disks.clone("golden", List.of("vm1"), 0),
                    BlockError.EBUSY,
                    "disk in use: name=golden, connections=1");
            Stages.await(golden.close());
            disks.clone("golden", List.of("vm2"), 0);
            assertFails(
                    () -> disks.clone("golden", List.of("vm1", "vm2", "vm3"), 0),
                    BlockError.EEXIST,
                    "name=vm2; choose another name or remove it first; clones made beside it: 2");
            assertThat(disks.children("golden")).containsExactly("vm1", "vm2", "vm3");
            assertFails(
                    () -> disks.clone("golden", List.of("vm9"), SIZE / 2),
                    BlockError.EINVAL,
                    "name=vm9, size=" + SIZE / 2 + ", template=golden");
            assertFails(
                    () -> disks.clone("golde", List.of("vm9"), 0),
                    BlockError.ENOENT,
                    "did you mean golden?");
            assertFails(
                    () -> disks.clone("golden", List.of("golden"), 0), BlockError.EEXIST, "golden");
            // A template that clients read can be cloned all the same.
            AttachedDisk reader = Stages.await(disks.attach("golden"));
            disks.clone("golden", List.of("vm4"), 0);
            Stages.await(reader.close());
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
