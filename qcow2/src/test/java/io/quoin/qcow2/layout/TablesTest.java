package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checklist sections 10 and 11: the snapshot table and the bitmap directory, and their limits. */
@Timeout(20)
class TablesTest {
    private static final int CLUSTER = 1 << 16;
    private static final long FILE = 64L * CLUSTER;

    private static Qcow2Header header(int version, int snapshots) {
        return Qcow2Header.builder().version(version).snapshots(snapshots, 5L * CLUSTER).build();
    }

    /** An entry of 40 + extra + 1 + 3 bytes. */
    private static ByteBuffer snapshot(int extraBytes) {
        ByteBuffer entry = ByteBuffer.allocate(CLUSTER);
        entry.putLong(0, 4L * CLUSTER).putInt(8, 2).putShort(12, (short) 1).putShort(14, (short) 3);
        entry.putInt(16, 1000).putInt(20, 5).putLong(24, 7).putInt(32, 99).putInt(36, extraBytes);
        entry.put(40 + extraBytes, "1abc".getBytes(StandardCharsets.US_ASCII));
        return entry;
    }

    @Test
    @DisplayName("QCOW2 97, 98, 99: snapshot entries start at multiples of 8")
    void shouldReadSnapshotEntriesAtMultiplesOfEight() {
        ByteBuffer table = ByteBuffer.allocate(CLUSTER);
        ByteBuffer first =
                snapshot(32)
                        .putLong(40, 1L << 40)
                        .putLong(48, 4096)
                        .putLong(56, -1)
                        .putLong(64, 0x55);
        // 40 + 32 + 4 = 76 bytes, so that the second entry starts at 80.
        table.put(first.limit(80)).put(snapshot(16).limit(60)).clear();
        SnapshotTable parsed = SnapshotTableLayout.parse(table, header(3, 2), FILE);
        assertThat(parsed.sizeBytes()).isEqualTo(80 + 64);
        SnapshotEntry entry = parsed.entries().get(0);
        assertThat(entry.id()).isEqualTo("1");
        assertThat(entry.name()).isEqualTo("abc");
        assertThat(entry.vmStateSizeBytes()).isEqualTo(1L << 40);
        assertThat(entry.diskSizeBytes()).isEqualTo(4096);
        assertThat(entry.laterExtra().lengthBytes()).isEqualTo(8);
        assertThat(parsed.entries().get(1).l1TableOffset()).isEqualTo(4L * CLUSTER);
        assertThat(parsed.entries().get(1).icount()).isEqualTo(-1);
    }

    @Test
    @DisplayName("QCOW2 99: short extra data are of version 2 only")
    void shouldTakeShortExtraDataInVersion2Only() {
        SnapshotEntry entry =
                SnapshotTableLayout.parse(snapshot(0), header(2, 1), FILE).entries().get(0);
        assertThat(entry.vmStateSizeBytes()).isEqualTo(99);
        assertThat(entry.diskSizeBytes()).isEqualTo(-1);
        assertThatThrownBy(() -> SnapshotTableLayout.parse(snapshot(8), header(3, 1), FILE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("extra data size");
    }

    @ParameterizedTest
    @CsvSource({"1025, extra data size", "-1, extra data size", "2147483647, extra data size"})
    @DisplayName("QCOW2 100: long extra data are refused")
    void shouldRefuseLongExtraData(int extraBytes, String field) {
        ByteBuffer table = snapshot(16).putInt(36, extraBytes);
        assertThatThrownBy(() -> SnapshotTableLayout.parse(table, header(3, 1), FILE))
                .hasMessageContaining(field);
    }

    @ParameterizedTest
    @CsvSource({"4194305, 262144", "-1, 262144", "2, 262145", "2, 4194304", "2, 0", "2, -65536"})
    @DisplayName("QCOW2 101: a snapshot L1 out of place is refused")
    void shouldRefuseSnapshotL1ThatIsOutOfPlace(int entries, long offset) {
        ByteBuffer table = snapshot(16).putInt(8, entries).putLong(0, offset);
        assertThatThrownBy(() -> SnapshotTableLayout.parse(table, header(3, 1), FILE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("l1_");
    }

    @Test
    @DisplayName("QCOW2 100: a snapshot table cut short is refused")
    void shouldRefuseTableThatIsCutShort() {
        ByteBuffer whole = snapshot(16);
        for (int length = 0; length < 60; length++) {
            ByteBuffer cut = whole.duplicate().limit(length);
            assertThatThrownBy(() -> SnapshotTableLayout.parse(cut, header(3, 1), FILE))
                    .isInstanceOf(BlockException.class);
        }
    }

    private static ByteBuffer bitmap(Consumer<ByteBuffer> change) {
        ByteBuffer entry = ByteBuffer.allocate(32);
        entry.putLong(0, 6L * CLUSTER)
                .putInt(8, 1)
                .putInt(12, 2)
                .put(16, (byte) 1)
                .put(17, (byte) 16);
        entry.putShort(18, (short) 2).put(24, (byte) 'b').put(25, (byte) 'm');
        change.accept(entry);
        return entry;
    }

    private static List<BitmapEntry> bitmaps(ByteBuffer directory, int count) {
        BitmapsExtension extension = new BitmapsExtension(count, directory.limit(), 7L * CLUSTER);
        return BitmapDirectoryLayout.parse(directory, extension, CLUSTER, FILE);
    }

    @Test
    @DisplayName("QCOW2 109: a bitmap entry is read")
    void shouldReadBitmapEntry() {
        BitmapEntry entry = bitmaps(bitmap(bytes -> {}), 1).get(0);
        assertThat(entry.name()).isEqualTo("bm");
        assertThat(entry.isAuto()).isTrue();
        assertThat(entry.isInUse()).isFalse();
        assertThat(entry.granularityBits()).isEqualTo(16);
        assertThat(entry.tableEntries()).isEqualTo(1);
    }

    @Test
    @DisplayName("QCOW2 109, 110, 111: a bitmap entry out of range is refused")
    void shouldRefuseBitmapEntryThatIsOutOfRange() {
        List<Consumer<ByteBuffer>> damages =
                List.of(
                        bytes -> bytes.putLong(0, 6L * CLUSTER + 1),
                        bytes -> bytes.putLong(0, FILE),
                        bytes -> bytes.putInt(8, -1),
                        bytes -> bytes.putInt(12, 8),
                        bytes -> bytes.put(16, (byte) 2),
                        bytes -> bytes.put(17, (byte) 8),
                        bytes -> bytes.put(17, (byte) 32),
                        bytes -> bytes.putShort(18, (short) 0),
                        bytes -> bytes.putShort(18, (short) 1024),
                        bytes -> bytes.putShort(18, (short) 9),
                        bytes -> bytes.putInt(20, 8),
                        bytes -> bytes.putInt(20, -1),
                        bytes -> bytes.put(24, (byte) 0));
        for (int i = 0; i < damages.size(); i++) {
            ByteBuffer damaged = bitmap(damages.get(i));
            assertThatThrownBy(() -> bitmaps(damaged, 1))
                    .as("damage %d", i)
                    .isInstanceOf(BlockException.class);
        }
        assertThatThrownBy(() -> bitmaps(bitmap(bytes -> {}), 2))
                .hasMessageContaining("nb_bitmaps");
        ByteBuffer twice =
                ByteBuffer.allocate(64).put(bitmap(bytes -> {})).put(bitmap(bytes -> {})).clear();
        assertThatThrownBy(() -> bitmaps(twice, 2)).hasMessageContaining("name=bm");
    }

    @Test
    @DisplayName("QCOW2 112: faults of bitmap table entries have names")
    void shouldNameFaultOfBitmapTableEntry() {
        assertThat(BitmapDirectoryLayout.tableFault(0, 16, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(BitmapDirectoryLayout.tableFault(1, 16, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(BitmapDirectoryLayout.tableFault(0x10000, 16, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(BitmapDirectoryLayout.tableFault(0x10001, 16, FILE))
                .isEqualTo(EntryFault.RESERVED_BITS);
        assertThat(BitmapDirectoryLayout.tableFault(2, 16, FILE))
                .isEqualTo(EntryFault.RESERVED_BITS);
        assertThat(BitmapDirectoryLayout.tableFault(0x10200, 16, FILE))
                .isEqualTo(EntryFault.UNALIGNED);
        assertThat(BitmapDirectoryLayout.tableFault(FILE, 16, FILE))
                .isEqualTo(EntryFault.BEYOND_EOF);
    }
}
