package io.quoin.qcow2.diff;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Holds differences against the bytes that QEMU reads from each snapshot. */
@Timeout(120)
class StateDiffTest {
    private static final int SECTOR = 512;
    private static final int SNAPSHOTS = 4;
    private static final int WRITES = 6;

    @TempDir Path folder;
    private Path image;

    @BeforeEach
    void findPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        image = folder.resolve("disk.qcow2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster_size=64k                  |  8 | false | true",
                "cluster_size=64k                  |  8 | true  | true",
                "compat=0.10                       |  8 | false | false",
                "cluster_size=512                  |  1 | false | true",
                "cluster_size=2M                   | 40 | true  | true",
                "extended_l2=on                    |  8 | false | true",
                "extended_l2=on,cluster_size=16k   |  4 | true  | true",
                "refcount_bits=64,cluster_size=4k  |  4 | false | true",
            })
    void shouldTellAllThatDiffersWhenSnapshotsAreCompared(
            String options, int sizeMib, boolean overlay, boolean resized) throws IOException {
        long seed = (long) options.hashCode() + sizeMib;
        System.out.println(options + " seed " + seed);
        Random random = new Random(seed);
        create(options, sizeMib, overlay);
        for (int i = 0; i < SNAPSHOTS; i++) {
            change(random, (long) sizeMib << 20);
            qemuImg("snapshot", "-c", "s" + i, image.toString());
            if (resized && i == 1) {
                long grown = ((long) sizeMib << 20) + (1 << 20) + 5 * SECTOR;
                qemuImg("resize", "-q", "-f", "qcow2", image.toString(), Long.toString(grown));
            }
        }
        List<byte[]> bytes = new ArrayList<>();
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            ClosedImage closed = ClosedImage.open(file);
            List<DiskState> states = new ArrayList<>();
            for (SnapshotEntry entry : closed.snapshots().entries()) {
                DiskState state = DiskState.at(closed.header, entry);
                states.add(state);
                bytes.add(read(entry.name(), state.sizeBytes()));
            }
            for (int i = 0; i < SNAPSHOTS; i++) {
                for (int j = 0; j < SNAPSHOTS; j++) {
                    List<DiffExtent> told = diff(closed, states.get(i), states.get(j));
                    assertToldIsAll(told, bytes.get(i), bytes.get(j));
                    if (i == j) {
                        assertThat(told).isEmpty();
                    }
                }
            }
            assertThat(diff(closed, DiskState.head(closed.header), states.get(SNAPSHOTS - 1)))
                    .isEmpty();
        }
    }

    @Test
    void shouldTellNothingElseWhenLittleWasWritten() throws IOException {
        create("cluster_size=64k", 1024, false);
        qemuIo("write -P 1 0 2M", "write -P 1 700M 1M");
        qemuImg("snapshot", "-c", "s0", image.toString());
        qemuIo("write -P 2 64k 4k", "write -P 2 128k 64k", "write -z 700M 128k", "write 900M 1");
        qemuImg("snapshot", "-c", "s1", image.toString());
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            ClosedImage closed = ClosedImage.open(file);
            assertThat(diff(closed, state(closed, "s0"), state(closed, "s1")))
                    .containsExactly(
                            new DiffExtent(64 << 10, 128 << 10, false),
                            new DiffExtent(700L << 20, 128 << 10, true),
                            new DiffExtent(900L << 20, 64 << 10, false));
            assertThat(diff(closed, DiskState.empty(1L << 30), state(closed, "s0")))
                    .containsExactly(
                            new DiffExtent(0, 2 << 20, false),
                            new DiffExtent(700L << 20, 1 << 20, false));
        }
    }

    @Test
    void shouldTellSubclustersWhenEntriesAreExtended() throws IOException {
        create("extended_l2=on,cluster_size=64k", 16, false);
        qemuIo("write -P 1 0 2k", "write -P 1 1M 64k");
        qemuImg("snapshot", "-c", "s0", image.toString());
        qemuIo("write -P 2 64k 2k", "write -z 1026k 2k");
        qemuImg("snapshot", "-c", "s1", image.toString());
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            ClosedImage closed = ClosedImage.open(file);
            assertThat(diff(closed, state(closed, "s0"), state(closed, "s1")))
                    .contains(new DiffExtent(64 << 10, 2 << 10, false))
                    .contains(new DiffExtent(1026 << 10, 2 << 10, true));
        }
    }

    @Test
    void shouldGoOnWhereItEndedWhenNoMoreWasWanted() throws IOException {
        create("cluster_size=64k", 2048, false);
        qemuIo("write 64k 64k", "write 192k 64k", "write 1G 64k", "write 1025M 64k");
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            ClosedImage closed = ClosedImage.open(file);
            DiskState empty = DiskState.empty(2L << 30);
            DiskState head = DiskState.head(closed.header);
            List<DiffExtent> all = diff(closed, empty, head);
            assertThat(all).hasSize(4);
            List<DiffExtent> pieces = new ArrayList<>();
            long start = 0;
            for (int i = 0; i < all.size(); i++) {
                StateDiff.diff(
                        closed, empty, head, start, Long.MAX_VALUE, extent -> !pieces.add(extent));
                DiffExtent last = pieces.get(pieces.size() - 1);
                start = last.start() + last.length();
            }
            assertThat(pieces).isEqualTo(all);
        }
    }

    private static void assertToldIsAll(List<DiffExtent> told, byte[] older, byte[] newer) {
        boolean[] in = new boolean[newer.length / SECTOR];
        long end = 0;
        for (DiffExtent extent : told) {
            assertThat(extent.start()).isGreaterThanOrEqualTo(end);
            end = extent.start() + extent.length();
            assertThat(end).isLessThanOrEqualTo(newer.length);
            for (long at = extent.start(); at < end; at += SECTOR) {
                in[(int) (at / SECTOR)] = true;
                if (extent.zero()) {
                    assertThat(sector(newer, (int) at)).containsOnly(0);
                }
            }
        }
        for (int at = 0; at < newer.length; at += SECTOR) {
            if (!in[at / SECTOR]) {
                assertThat(sector(newer, at)).as("sector at %d", at).isEqualTo(sector(older, at));
            }
        }
    }

    /** Zeros behind the end. */
    private static byte[] sector(byte[] disk, int at) {
        return at >= disk.length ? new byte[SECTOR] : Arrays.copyOfRange(disk, at, at + SECTOR);
    }

    private static DiskState state(ClosedImage closed, String name) {
        SnapshotEntry entry = closed.snapshots().find(name);
        assertThat(entry).isNotNull();
        return DiskState.at(closed.header, entry);
    }

    private static List<DiffExtent> diff(ClosedImage closed, DiskState from, DiskState to) {
        List<DiffExtent> told = new ArrayList<>();
        StateDiff.diff(closed, from, to, 0, Long.MAX_VALUE, told::add);
        return told;
    }

    private void create(String options, int sizeMib, boolean overlay) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        if (overlay) {
            byte[] base = new byte[3 << 20];
            new Random(7).nextBytes(base);
            Files.write(folder.resolve("base.raw"), base);
            arguments.addAll(List.of("-b", "base.raw", "-F", "raw"));
        }
        arguments.addAll(List.of("-o", options.strip(), image.toString(), sizeMib + "M"));
        qemuImg(arguments.toArray(String[]::new));
    }

    private void change(Random random, long sizeBytes) {
        List<String> commands = new ArrayList<>();
        for (int i = 0; i < WRITES; i++) {
            long offset = random.nextLong(sizeBytes / SECTOR) * SECTOR;
            long length = Math.min(sizeBytes - offset, (1L + random.nextInt(300)) * SECTOR);
            String range = offset + " " + length;
            commands.add(
                    switch (random.nextInt(6)) {
                        case 0 -> "write -z " + range;
                        case 1 -> "write -z -u " + range;
                        case 2 -> "discard " + range;
                        default -> "write -P " + (1 + random.nextInt(255)) + " " + range;
                    });
        }
        qemuIo(commands.toArray(String[]::new));
    }

    private byte[] read(String snapshot, long sizeBytes) throws IOException {
        Path raw = folder.resolve(snapshot + ".raw");
        String name = "snapshot.name=" + snapshot;
        qemuImg("convert", "-l", name, "-O", "raw", image.toString(), raw.toString());
        return Arrays.copyOf(Files.readAllBytes(raw), (int) sizeBytes);
    }

    private void qemuIo(String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", "qcow2", "-d", "unmap"));
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        arguments.add(image.toString());
        Peer.QEMU_IO.command(arguments).runOk();
    }

    private static void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).runOk();
    }
}
