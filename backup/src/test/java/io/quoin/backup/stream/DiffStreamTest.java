package io.quoin.backup.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.FakeDisk;
import io.quoin.backup.MemoryDisk;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.diff.DiffExtent;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class DiffStreamTest {
    private static final int BLOCK = 4096;
    private static final int SIZE = 64 * BLOCK;

    private final FakeDisk disk = new FakeDisk("vm1", SIZE);

    private byte[] export(String from, String to) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DiffExport.Result result =
                DiffExport.write(disk, from, to, out, "test", BackupEvents.SILENT);
        assertThat(result.streamBytes()).isEqualTo(out.size());
        return out.toByteArray();
    }

    private static DiffStreamReader reader(byte[] stream) {
        return new DiffStreamReader(new ByteArrayInputStream(stream), "test");
    }

    private static DiffApply.Result apply(
            byte[] stream, byte[] target, byte[] older, List<DiffExtent> changed) {
        MemoryDisk before = older == null ? null : new MemoryDisk("vm1@a", older, () -> {});
        MemoryDisk now = new MemoryDisk("vm1", target, () -> {});
        return new DiffApply(now, before, changed, BackupEvents.SILENT).run(reader(stream));
    }

    /** Two snapshots with data, zeros and nothing between them. */
    private byte[] exportChanges() {
        disk.write(0, 40 * BLOCK, 1);
        disk.make("a");
        disk.write(2 * BLOCK, BLOCK, 2);
        disk.write(3 * BLOCK, 3 * BLOCK, 0);
        disk.write(60 * BLOCK, 2 * BLOCK, 3);
        disk.make("b");
        return export("a", "b");
    }

    private byte[] contentAt(String snapshot) {
        ByteBuffer bytes = ByteBuffer.allocate((int) disk.openSnapshot(snapshot).sizeBytes());
        disk.openSnapshot(snapshot).read(0, bytes);
        return bytes.array();
    }

    @Test
    void shouldMakeTheNewerContentWhenItIsAppliedToTheOlder() {
        byte[] stream = exportChanges();
        byte[] target = contentAt("a");
        DiffApply.Result applied = apply(stream, target, contentAt("a"), List.of());
        assertThat(target).isEqualTo(contentAt("b"));
        assertThat(applied.writtenBytes()).isEqualTo(6L * BLOCK);
        assertThat(applied.keptBytes()).isZero();
        assertThat(stream.length).isLessThan(4 * BLOCK);
    }

    @Test
    void shouldNameDiskSnapshotsAndSizesInItsHeader() {
        DiffHeader header = reader(exportChanges()).header();
        assertThat(header.disk()).isEqualTo("vm1");
        assertThat(header.sizeBytes()).isEqualTo(SIZE);
        assertThat(header.fromSizeBytes()).isEqualTo(SIZE);
        assertThat(header.from()).isEqualTo(point("a"));
        assertThat(header.to()).isEqualTo(point("b"));
    }

    private DiffHeader.Point point(String name) {
        return disk.snapshots().stream()
                .filter(each -> each.name().equals(name))
                .map(each -> new DiffHeader.Point(name, UUID.fromString(each.uuid())))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldHaveAllOfADiskButItsZerosWhenThereIsNoOlderSnapshot() {
        disk.write(5 * BLOCK, BLOCK, 7);
        disk.make("a");
        byte[] stream = export(null, "a");
        byte[] target = new byte[SIZE];
        apply(stream, target, null, List.of());
        assertThat(target).isEqualTo(contentAt("a"));
        assertThat(reader(stream).header().from()).isNull();
    }

    @Test
    void shouldReachBehindTheOlderEndWhenTheDiskHasGrown() {
        disk.write(0, SIZE, 1);
        disk.make("a");
        disk.resize(SIZE + 8 * BLOCK);
        disk.write(SIZE + BLOCK, BLOCK, 9);
        disk.make("b");
        byte[] target = Arrays.copyOf(contentAt("a"), SIZE + 8 * BLOCK);
        apply(export("a", "b"), target, contentAt("a"), List.of());
        assertThat(target).isEqualTo(contentAt("b"));
        assertThatThrownBy(() -> export("b", "a"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("smaller");
    }

    @Test
    void shouldRefuseEachTruncation() {
        byte[] stream = exportChanges();
        for (int length = 0; length < stream.length; length++) {
            byte[] cut = Arrays.copyOf(stream, length);
            BlockException refused =
                    catchThrowableOfType(
                            BlockException.class, () -> reader(cut).verify(BackupEvents.SILENT));
            assertThat(refused).as("length %d", length).isNotNull();
            assertThat(refused.error()).as("length %d", length).isEqualTo(BlockError.EIO);
            assertThat(refused).hasMessageContaining("position=" + length);
        }
        byte[] longer = Arrays.copyOf(stream, stream.length + 1);
        assertThatThrownBy(() -> apply(longer, contentAt("a"), contentAt("a"), List.of()))
                .hasMessageContaining("position=" + stream.length);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 0x80, 0xff})
    void shouldRefuseEachFlippedByte(int mask) {
        byte[] stream = exportChanges();
        for (int at = 0; at < stream.length; at++) {
            stream[at] ^= (byte) mask;
            BlockException refused =
                    catchThrowableOfType(
                            BlockException.class, () -> reader(stream).verify(BackupEvents.SILENT));
            stream[at] ^= (byte) mask;
            assertThat(refused).as("byte %d", at).isNotNull();
            if (at >= DiffStreamLayout.PREAMBLE_BYTES) {
                assertThat(refused).hasMessageContaining("position=");
            }
        }
        reader(stream).verify(BackupEvents.SILENT);
    }

    /** Sections with sound checksums, in an order that no stream has. */
    @Test
    void shouldRefuseRangesThatCannotBe() {
        requireRefused(stream -> stream.zero(SIZE, BLOCK));
        requireRefused(stream -> stream.zero(0, SIZE + BLOCK));
        requireRefused(stream -> stream.zero(0, 0));
        requireRefused(stream -> stream.zero(-BLOCK, BLOCK));
        requireRefused(stream -> stream.zero(100, BLOCK));
        requireRefused(stream -> stream.zero(BLOCK, Long.MAX_VALUE));
        requireRefused(
                stream -> {
                    stream.zero(BLOCK, BLOCK);
                    stream.zero(BLOCK, BLOCK);
                });
        requireRefused(stream -> stream.data(0, ByteBuffer.allocate(100)));
        requireRefused(stream -> stream.head(header()));
    }

    private interface Sections {
        void write(DiffStreamWriter stream);
    }

    private static DiffHeader header() {
        return new DiffHeader("vm1", null, new DiffHeader.Point("a", new UUID(1, 2)), 0, SIZE);
    }

    private static void requireRefused(Sections sections) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DiffStreamWriter stream = new DiffStreamWriter(out, "test");
        stream.head(header());
        sections.write(stream);
        stream.done();
        assertThatThrownBy(() -> reader(out.toByteArray()).verify(BackupEvents.SILENT))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("position=");
    }

    /** Each try is cut off somewhere else, and leaves what it has written. */
    @Test
    void shouldGoOnWhenAnEarlierTryWasCutOff() {
        byte[] stream = exportChanges();
        byte[] older = contentAt("a");
        Random random = new Random(7);
        long kept = 0;
        for (int round = 0; round < 50; round++) {
            byte[] target = older.clone();
            byte[] cut = Arrays.copyOf(stream, random.nextInt(stream.length));
            assertThatThrownBy(() -> apply(cut, target, older, List.of()))
                    .isInstanceOf(BlockException.class);
            DiffApply.Result second = apply(stream, target, older, changed(older, target));
            assertThat(target).isEqualTo(contentAt("b"));
            kept += second.keptBytes();
        }
        assertThat(kept).isPositive();
    }

    /** In clusters of four blocks, as an image tells more than was written. */
    private static List<DiffExtent> changed(byte[] older, byte[] target) {
        List<DiffExtent> all = new ArrayList<>();
        for (int at = 0; at < target.length; at += 4 * BLOCK) {
            int end = at + 4 * BLOCK;
            if (!Arrays.equals(older, at, end, target, at, end)) {
                all.add(new DiffExtent(at, 4 * BLOCK, false));
            }
        }
        return all;
    }

    @Test
    void shouldRefuseWhatWasChangedOutsideOfTheStream() {
        byte[] stream = exportChanges();
        byte[] older = contentAt("a");
        byte[] target = older.clone();
        target[BLOCK] = 77;
        assertThatThrownBy(() -> apply(stream, target, older, changed(older, target)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("changed since the import began")
                .hasMessageContaining("offset=0");
    }

    @Test
    void shouldMakeWhatAWholeStreamPassesOverZerosWhenATryWasThereBefore() {
        disk.write(5 * BLOCK, BLOCK, 7);
        disk.make("a");
        byte[] target = new byte[SIZE];
        Arrays.fill(target, (byte) 5);
        apply(export(null, "a"), target, null, List.of(new DiffExtent(0, SIZE, false)));
        assertThat(target).isEqualTo(contentAt("a"));
    }

    @Test
    void shouldRefuseSnapshotsThatAreNotThereOrAreReplacedMeanwhile() {
        disk.write(0, BLOCK, 1);
        disk.make("a");
        disk.write(0, BLOCK, 2);
        disk.make("b");
        assertThatThrownBy(() -> export("c", "b")).hasMessageContaining("vm1@c");
        disk.step(
                () -> {
                    disk.drop("a");
                    disk.make("a");
                });
        assertThatThrownBy(() -> export("a", "b"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("replaced while it was read");
    }
}
