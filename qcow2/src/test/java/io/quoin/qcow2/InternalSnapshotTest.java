package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Internal snapshots that QEMU made, opened read-only under {@code IMAGE.qcow2@SNAPSHOT}. */
@Timeout(120)
class InternalSnapshotTest {
    private static final String DISK = "disk.qcow2";

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "cluster_size=64k",
                "cluster_size=512",
                "cluster_size=2M",
                "cluster_size=4k,refcount_bits=4",
                "compat=0.10",
                "cluster_size=4k,backing_file=base.raw,backing_fmt=raw"
            })
    @DisplayName("QCOW2 99, 101: a snapshot reads as qemu-img convert -l reads it")
    void shouldReadWhatQemuReadsWhenSnapshotsHaveWritesBetween(String options) throws IOException {
        byte[] base = new byte[700_000];
        Arrays.fill(base, (byte) 0x77);
        Files.write(folder.resolve("base.raw"), base);
        images.brick.put("base.raw", base);
        make(options);
        for (String name : new String[] {"one", "two", "three"}) {
            assertThat(read(DISK + "@" + name)).as(name).isEqualTo(qemuSnapshot(name));
        }
        assertThat(read(DISK)).isEqualTo(images.qemuContent(DISK));
    }

    @Test
    @DisplayName("QCOW2 99: the disk has the size that it had at the snapshot")
    void shouldHaveTheSizeOfTheSnapshotWhenTheImageHasGrown() throws IOException {
        make("cluster_size=64k");
        qemu("resize", "-q", DISK, "6M");
        reload();
        assertThat(images.loops.await(images.volume.stat(DISK)).sizeBytes()).isEqualTo(6 << 20);
        for (String name : new String[] {"one", "two"}) {
            assertThat(images.loops.await(images.volume.stat(DISK + "@" + name)).sizeBytes())
                    .isEqualTo(1 << 20);
        }
        assertThat(images.loops.await(images.volume.stat(DISK + "@three")).sizeBytes())
                .isEqualTo(3 << 20);
        assertThat(read(DISK + "@three")).isEqualTo(qemuSnapshot("three"));
    }

    @Test
    @DisplayName("QCOW2 103: found by id first, then by name")
    void shouldFindByIdFirstWhenANameLooksLikeAnId() throws IOException {
        make("cluster_size=64k");
        // Its id is 4.
        qemu("snapshot", "-c", "1", DISK);
        reload();
        assertThat(read(DISK + "@1")).isEqualTo(qemuSnapshot("one"));
        assertThat(read(DISK + "@4")).isEqualTo(read(DISK));
        assertThat(read(DISK + "@2")).isEqualTo(qemuSnapshot("two"));
    }

    @Test
    @DisplayName("QCOW2 97, 99: the details list id, name and size of each snapshot")
    void shouldListSnapshotsInTheDetails() throws IOException {
        make("cluster_size=64k");
        XlatorFile file = images.open(DISK, OpenMode.READ_ONLY);
        String details = file.details().toString();
        images.close(file);
        assertThat(details)
                .contains("internal-snapshots=3")
                .contains("id=1, name=one")
                .contains("id=2, name=two")
                .containsPattern("id=3, name=three, date-sec=\\d+, virtual-size=3145728");
    }

    @Test
    void shouldOpenTheFileWhenOneHasTheNameOfASnapshot() throws IOException {
        make("cluster_size=64k");
        images.brick.put(DISK + "@one", Files.readAllBytes(folder.resolve(DISK)));
        assertThat(read(DISK + "@one"))
                .isEqualTo(images.qemuContent(DISK))
                .isNotEqualTo(qemuSnapshot("one"));
        assertThat(images.loops.await(images.volume.stat(DISK + "@one")).sizeBytes())
                .isEqualTo(images.loops.await(images.volume.stat(DISK)).sizeBytes());
        images.close(images.open(DISK + "@one", OpenMode.READ_WRITE)); // as no snapshot could be
        assertThat(read(DISK + "@two")).isEqualTo(qemuSnapshot("two"));
    }

    @Test
    void shouldRefuseByNameWhenThereIsNoSuchSnapshot() throws IOException {
        make("cluster_size=64k");
        assertThatThrownBy(() -> images.open(DISK + "@four", OpenMode.READ_ONLY))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOENT))
                .hasMessageStartingWith("disk.qcow2: snapshot: name=four");
        assertThatThrownBy(() -> images.open(DISK + "@", OpenMode.READ_ONLY))
                .isInstanceOf(BlockException.class);
        assertThatThrownBy(() -> images.open(DISK + "@one", OpenMode.READ_WRITE))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
        assertThatThrownBy(
                        () ->
                                images.loops.await(
                                        images.volume.create(
                                                "new.qcow2@x",
                                                new CreateOptions(1 << 20, Map.of()))))
                .isInstanceOf(BlockException.class);
    }

    @Test
    @DisplayName("QCOW2 80: writes to the image leave an open snapshot as it was")
    void shouldKeepItsContentWhenTheImageIsWrittenMeanwhile() throws IOException {
        make("cluster_size=4k");
        byte[] before = qemuSnapshot("three");
        XlatorFile image = images.open(DISK, OpenMode.READ_WRITE);
        XlatorFile snapshot = images.open(DISK + "@three", OpenMode.READ_ONLY);
        assertThat(snapshot.capabilities().canWrite()).isFalse();
        FileDriver writer = images.driver(image);
        FileDriver reader = images.driver(snapshot);
        byte[] other = new byte[50_000];
        Arrays.fill(other, (byte) 0x99);
        for (int at = 0; at < before.length; at += 200_000) {
            int length = Math.min(other.length, before.length - at);
            writer.write(at, Arrays.copyOf(other, length));
            assertThat(writer.flush()).isEqualTo(BlockError.OK);
            assertThat(reader.read(at, length))
                    .isEqualTo(Arrays.copyOfRange(before, at, at + length));
        }
        images.close(snapshot);
        images.close(image);
        assertThat(read(DISK + "@three")).isEqualTo(before);
        images.checkClean(DISK);
    }

    /** Snapshots one, two and three, with writes, zeroes, discards and a resize between them. */
    private void make(String options) throws IOException {
        qemu("create", "-q", "-f", "qcow2", "-o", options, DISK, "1M");
        io("write -P 1 0 300k", "write -P 2 512k 5k");
        qemu("snapshot", "-c", "one", DISK);
        io("write -P 3 100k 50k", "write -z 200k 64k", "discard 0 64k");
        qemu("snapshot", "-c", "two", DISK);
        boolean canGrow = !options.contains("0.10");
        if (canGrow) {
            qemu("resize", "-q", DISK, "3M");
        }
        io("write -P 4 900k 100k", canGrow ? "write -P 5 2M 70k" : "write -P 5 10k 1k");
        qemu("snapshot", "-c", "three", DISK);
        io("write -P 6 0 1M");
        reload();
    }

    private void reload() throws IOException {
        images.brick.put(DISK, Files.readAllBytes(folder.resolve(DISK)));
    }

    private void qemu(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private void io(String... commands) {
        java.util.List<String> arguments = new java.util.ArrayList<>();
        arguments.addAll(java.util.List.of("-f", "qcow2", "-d", "unmap"));
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        arguments.add(DISK);
        Peer.QEMU_IO.command(arguments).directory(folder).runOk();
    }

    /**
     * What QEMU reads, which gives a snapshot the size that the image has now: up to the end that
     * it had then.
     */
    private byte[] qemuSnapshot(String name) throws IOException {
        qemu("convert", "-f", "qcow2", "-l", "snapshot.name=" + name, "-O", "raw", DISK, "old.raw");
        long size = images.loops.await(images.volume.stat(DISK + "@" + name)).sizeBytes();
        return Arrays.copyOf(Files.readAllBytes(folder.resolve("old.raw")), (int) size);
    }

    private byte[] read(String name) {
        XlatorFile file = images.open(name, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }
}
