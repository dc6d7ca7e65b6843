package io.quoin.qcow2.info;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds what is counted against the clusters that qemu-img finds, and frees. */
@Timeout(120)
class SpaceAccountTest {
    private static final int SNAPSHOTS = 4;
    private static final long MEMORY = 64 << 20;

    @TempDir private Path folder;
    private Path image;

    @BeforeEach
    void findPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        image = folder.resolve("disk.qcow2");
    }

    private static void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).runOk();
    }

    private static SpaceUsage usage(Path path) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, false)) {
            return SpaceAccount.of(ClosedImage.open(file), CheckListener.SILENT, MEMORY);
        }
    }

    /** Clusters with a count, by the refcount structure as qemu-img has left it. */
    private static long countedClusters(Path path) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, false)) {
            return CountedClusters.of(ClosedImage.open(file));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cluster_size=64k",
                "cluster_size=512",
                "compat=0.10,cluster_size=4k",
                "extended_l2=on,cluster_size=16k",
                "refcount_bits=64,cluster_size=4k",
                "cluster_size=4k,compression_type=zstd"
            })
    void shouldTellWhatQemuFreesWhenASnapshotIsRemoved(String options) throws IOException {
        long seed = options.hashCode();
        System.out.println(options + " seed " + seed);
        Random random = new Random(seed);
        qemuImg("create", "-q", "-f", "qcow2", "-o", options, image.toString(), "5M");
        for (int i = 0; i < SNAPSHOTS; i++) {
            List<String> commands = new ArrayList<>();
            for (int j = 0; j < 6; j++) {
                boolean compressed = j % 3 == 0 && !options.contains("extended");
                // QEMU compresses only where nothing has been written yet.
                int at = compressed ? 64 + 2 * i + j / 3 : random.nextInt(60);
                long offset = at * 65536L;
                commands.add("-c");
                commands.add(
                        "write "
                                + (compressed ? "-c " : "")
                                + "-P "
                                + (1 + random.nextInt(250))
                                + " "
                                + offset
                                + " 64k");
            }
            commands.add("-c");
            commands.add("write -z " + random.nextInt(60) * 65536L + " 64k");
            commands.add(image.toString());
            Peer.QEMU_IO.command(commands.toArray(String[]::new)).runOk();
            qemuImg("snapshot", "-c", "s" + i, image.toString());
        }
        SpaceUsage before = usage(image);
        assertThat(before.snapshots())
                .extracting(SpaceUsage.Root::name)
                .containsExactly("s0", "s1", "s2", "s3");
        long clusterBytes;
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            clusterBytes = ClosedImage.open(file).clusterSize;
        }
        for (SpaceUsage.Root snapshot : before.snapshots()) {
            Path copy = Files.copy(image, folder.resolve(snapshot.name() + ".qcow2"));
            long counted = countedClusters(copy);
            long tables = snapshotTableClusters(copy);
            qemuImg("snapshot", "-d", String.valueOf(snapshot.name()), copy.toString());
            qemuImg("check", "-q", copy.toString());
            long freed = counted - countedClusters(copy) - tables + snapshotTableClusters(copy);
            assertThat(snapshot.exclusiveBytes())
                    .as("exclusive of %s", snapshot.name())
                    .isEqualTo(freed * clusterBytes);
            assertThat(snapshot.freedBytes())
                    .as("freed with %s", snapshot.name())
                    .isEqualTo((counted - countedClusters(copy)) * clusterBytes);
        }
        // All that is of no root is metadata of the image.
        assertThat(usedBytes(before)).isLessThanOrEqualTo(countedClusters(image) * clusterBytes);
    }

    private static long snapshotTableClusters(Path path) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, false)) {
            ClosedImage closed = ClosedImage.open(file);
            return closed.geometry.clustersFor(closed.snapshots().sizeBytes());
        }
    }

    private static long usedBytes(SpaceUsage usage) {
        long bytes = usage.disk().exclusiveBytes();
        for (SpaceUsage.Root snapshot : usage.snapshots()) {
            bytes += snapshot.exclusiveBytes();
        }
        return bytes;
    }

    @Test
    void shouldCountTablesAndDataWhenThereIsNoSnapshot() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", image.toString(), "64M");
        Peer.QEMU_IO.command("-c", "write 0 1M", image.toString()).runOk();
        SpaceUsage.Root disk = usage(image).disk();
        assertThat(disk.exclusiveBytes()).isEqualTo((1 << 20) + ((2 * 64) << 10));
        assertThat(disk.sharedBytes()).isZero();
    }

    @Test
    void shouldShareAllWhenNothingWasWrittenSince() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", image.toString(), "64M");
        Peer.QEMU_IO.command("-c", "write 0 1M", image.toString()).runOk();
        for (String name : List.of("a", "b", "c")) {
            qemuImg("snapshot", "-c", name, image.toString());
        }
        SpaceUsage usage = usage(image);
        assertThat(usage.snapshots())
                .allSatisfy(
                        snapshot -> {
                            assertThat(snapshot.exclusiveBytes()).isEqualTo(64 << 10);
                            assertThat(snapshot.sharedBytes()).isEqualTo((1 << 20) + (64 << 10));
                        });
        assertThat(usage.disk().sharedBytes()).isEqualTo((1 << 20) + (64 << 10));
    }

    @Test
    void shouldRefuseWhatThereIsNoMemoryFor() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", image.toString(), "64M");
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            ClosedImage closed = ClosedImage.open(file);
            assertThatThrownBy(() -> SpaceAccount.of(closed, CheckListener.SILENT, 8))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("clusters=");
        }
    }
}
