package io.quoin.management.volume;

import static java.nio.charset.StandardCharsets.UTF_8;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EmbeddedVolumeTest {
    private static final long SIZE = 10 << 20;

    @TempDir private Path folder;

    @Test
    void shouldKeepWhatAProgramWroteWhenOpenedAgain() {
        try (Volume volume = Volumes.open(folder)) {
            volume.create("vm1", SIZE);
            try (Disk disk = volume.open("vm1")) {
                disk.write(12345, text("hello"));
            }
        }
        try (Volume volume = Volumes.open(folder);
                Disk disk = volume.open("vm1")) {
            assertThat(volume.disks()).containsExactly("vm1");
            assertThat(disk.sizeBytes()).isEqualTo(SIZE);
            ByteBuffer read = ByteBuffer.allocateDirect(5);
            disk.read(12345, read);
            assertThat(read).isEqualTo(text("hello"));
        }
    }

    @Test
    void shouldShareADiskAmongItsUsersAndHoldReadersToReading() {
        try (Volume volume = Volumes.open(folder)) {
            volume.create("vm1", SIZE);
            try (Disk writer = volume.open("vm1");
                    Disk reader = volume.open("vm1", DiskMode.READ_ONLY)) {
                writer.write(0, text("hello"));
                ByteBuffer read = ByteBuffer.allocateDirect(5);
                reader.read(0, read);
                assertThat(read).isEqualTo(text("hello"));
                assertThat(reader.capabilities().canWrite()).isFalse();
                assertThatThrownBy(() -> reader.write(0, text("x")))
                        .isInstanceOfSatisfying(
                                BlockException.class,
                                e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
                assertThatThrownBy(() -> reader.zero(0, 512)).isInstanceOf(BlockException.class);
                assertThatThrownBy(() -> reader.discard(0, 512)).isInstanceOf(BlockException.class);
            }
        }
    }

    @Test
    void shouldFlushDisksThatAreStillOpenWhenTheVolumeIsClosed() {
        Volume volume = Volumes.open(folder);
        volume.create("vm1", SIZE);
        volume.open("vm1").write(0, text("hello"));
        volume.close();
        volume.close();

        try (Volume again = Volumes.open(folder);
                Disk disk = again.open("vm1")) {
            ByteBuffer read = ByteBuffer.allocateDirect(5);
            disk.read(0, read);
            assertThat(read).isEqualTo(text("hello"));
        }
    }

    @Test
    void shouldOpenWhatAVolfileDescribesRelativeToIt() throws IOException {
        Path volfile = folder.resolve("raw.vol");
        Files.writeString(
                volfile,
                """
                volume files
                    type storage/posix
                    option directory here
                end-volume
                volume disks
                    type features/snapshot
                    subvolumes files
                end-volume
                """);
        Files.createDirectories(folder.resolve("here"));
        Files.write(folder.resolve("here/old.raw"), new byte[1024]);

        try (Volume volume = Volumes.openVolfile(volfile);
                Disk disk = volume.open("old")) {
            assertThat(disk.sizeBytes()).isEqualTo(1024);
        }
    }

    @Test
    void shouldKeepTheOperatorsVolfile() throws IOException {
        Volumes.open(folder).close();
        Path volfile = folder.resolve("volume.vol");
        assertThat(volfile).hasContent(EmbeddedVolfile.text());
        String own = EmbeddedVolfile.text().replace("debug/io-stats", "debug/trace");
        Files.writeString(volfile, own);

        Volumes.open(folder).close();

        assertThat(volfile).hasContent(own);
    }

    @Test
    void shouldNameThePlaceWhenTheVolfileIsWrong() throws IOException {
        Files.writeString(
                folder.resolve("volume.vol"), "volume a\n  type storage/posiks\nend-volume\n");

        assertThatThrownBy(() -> Volumes.open(folder))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("volume.vol")
                .hasMessageContaining("storage/posix");
    }

    private static ByteBuffer text(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }
}
