package io.quoin.qcow2.catalogue;

import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Reads snapshot tables, those of usual length, to be remembered.
 *
 * <p>Threading: confined(loop).
 */
final class SnapshotsRead {
    private static final int TABLE_BYTES_MAX = 64 << 10;

    private SnapshotsRead() {}

    /** None of a table that is longer or broken, or cannot be read. */
    static CompletionStage<List<SnapshotEntry>> read(ImageIo io, Qcow2Header header) {
        long room = SnapshotTableLayout.bytesMax(header, io.fileSizeBytes());
        int lengthBytes = (int) Math.min(room, TABLE_BYTES_MAX);
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(List.of());
        }
        TransferMemory memory = new TransferMemory(lengthBytes);
        return ChildFiles.read(
                        io, header.snapshotsOffset(), memory.bytes(), lengthBytes, "snapshot table")
                .thenApply(table -> parse(table, header, io.fileSizeBytes()))
                .exceptionally(failure -> List.of())
                .whenComplete((entries, failure) -> memory.close());
    }

    private static List<SnapshotEntry> parse(
            ByteBuffer table, Qcow2Header header, long fileSizeBytes) {
        return SnapshotTableLayout.bytesNeeded(table, header.snapshotCount()) > table.limit()
                ? List.of()
                : SnapshotTableLayout.parse(table, header, fileSizeBytes).entries();
    }
}
