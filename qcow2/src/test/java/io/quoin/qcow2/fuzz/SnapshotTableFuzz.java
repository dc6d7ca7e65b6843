package io.quoin.qcow2.fuzz;

import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.nio.ByteBuffer;

/** The snapshot table: the first byte has the version and the number of entries. */
public final class SnapshotTableFuzz {
    private static final long FILE_BYTES = 1 << 20;

    private SnapshotTableFuzz() {}

    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        int count = 1 + (data[0] & 15);
        Qcow2Header header =
                Qcow2Header.builder()
                        .version((data[0] & 16) == 0 ? 3 : 2)
                        .sizeBytes(1 << 20)
                        .l1(1, 1 << 16)
                        .refcountTable(2 << 16, 1)
                        .snapshots(count, 3 << 16)
                        .build();
        ByteBuffer table = ByteBuffer.wrap(data, 1, data.length - 1).slice();
        try {
            SnapshotTable parsed = SnapshotTableLayout.parse(table, header, FILE_BYTES);
            if (SnapshotTableLayout.bytesNeeded(table, count) > table.limit()) {
                throw new AssertionError("a table that was parsed needs more bytes than it has");
            }
            for (SnapshotEntry entry : parsed.entries()) {
                if (parsed.find(entry.id()) == null) {
                    throw new AssertionError("snapshot not found by its own id");
                }
                header.atSnapshot(entry);
            }
        } catch (BlockException e) {
            Messages.check(e);
        }
    }
}
