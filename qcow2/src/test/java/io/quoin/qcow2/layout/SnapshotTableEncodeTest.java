package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SnapshotTableEncodeTest {
    private static final UUID ID = UUID.fromString("01234567-89ab-cdef-0123-456789abcdef");

    private static OpaqueBytes bytes(int... values) {
        byte[] all = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            all[i] = (byte) values[i];
        }
        return OpaqueBytes.copyOf(all);
    }

    private static SnapshotEntry entry(
            OpaqueBytes name, long vmState, long disk, OpaqueBytes extra) {
        OpaqueBytes id = OpaqueBytes.copyOf("17".getBytes(StandardCharsets.US_ASCII));
        return new SnapshotEntry(
                0, 0x10000, 1, id, name, -5, 999_999_999, 12, vmState, disk, 77, extra);
    }

    private static SnapshotTable parse(ByteBuffer encoded, int count) {
        Qcow2Header header =
                new HeaderBuilder()
                        .version(3)
                        .clusterBits(16)
                        .sizeBytes(1 << 20)
                        .l1(1, 0x30000)
                        .refcountTable(0x10000, 1)
                        .refcountOrder(4)
                        .snapshots(count, 0x50000)
                        .build();
        return SnapshotTableLayout.parse(encoded, header, 1 << 30);
    }

    @Test
    void shouldReadBackWhatWasEncodedWhenBytesAreNoText() {
        List<SnapshotEntry> entries =
                List.of(
                        entry(bytes('a', 0xff, 0xc0), 5L << 32, 1 << 20, OpaqueBytes.EMPTY),
                        entry(bytes('b'), 9, 1 << 19, SnapshotTableLayout.laterExtra(ID)),
                        entry(bytes(), 0, 512, bytes(1, 2, 3)));
        SnapshotTableLayout.Encoded encoded = SnapshotTableLayout.encode(entries, 4096);
        SnapshotTable read = parse(encoded.bytes(), 3);
        assertThat(read).isEqualTo(encoded.table());
        for (int i = 0; i < entries.size(); i++) {
            SnapshotEntry found = read.entries().get(i);
            assertThat(found)
                    .isEqualTo(entries.get(i).at(found.tableOffset(), found.diskSizeBytes()));
            assertThat(found.tableOffset() % 8).isZero();
        }
        assertThat(read.entries().get(1).uuid()).isEqualTo(ID);
        assertThat(read.entries().get(0).uuid()).isNull();
        assertThat(read.entries().get(2).uuid()).isNull();
    }

    @Test
    void shouldHaveTheSizeOfTheImageWhenNoneWasRecorded() {
        SnapshotEntry old = entry(bytes('x'), 0, -1, OpaqueBytes.EMPTY);
        SnapshotTableLayout.Encoded encoded = SnapshotTableLayout.encode(List.of(old), 4096);
        assertThat(parse(encoded.bytes(), 1).entries().get(0).diskSizeBytes()).isEqualTo(4096);
    }

    @Test
    void shouldChangeNothingButTheNameWhenRenamed() {
        SnapshotEntry old = entry(bytes('x'), 7, 4096, SnapshotTableLayout.laterExtra(ID));
        SnapshotEntry renamed = old.withName("größer");
        assertThat(renamed.name()).isEqualTo("größer");
        assertThat(renamed.uuid()).isEqualTo(ID);
        assertThat(renamed.withName("x")).isEqualTo(old);
    }

    @Test
    void shouldRefuseWhenThereAreTooManyOrTheTableIsTooLong() {
        SnapshotEntry one = entry(bytes('x'), 0, 4096, OpaqueBytes.EMPTY);
        assertThatThrownBy(() -> SnapshotTableLayout.encode(Collections.nCopies(65_537, one), 4096))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EFBIG));
        SnapshotEntry longOne =
                entry(OpaqueBytes.copyOf(new byte[60_000]), 0, 4096, OpaqueBytes.EMPTY);
        assertThatThrownBy(
                        () -> SnapshotTableLayout.encode(Collections.nCopies(300, longOne), 4096))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EFBIG));
    }
}
