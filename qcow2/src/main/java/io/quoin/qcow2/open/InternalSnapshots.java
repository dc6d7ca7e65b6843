package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import io.quoin.qcow2.parents.ImageName;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;

/**
 * The internal snapshots of an image that is being opened.
 *
 * <p>Threading: confined(loop).
 */
final class InternalSnapshots {
    private static final int FIRST_READ_BYTES = 64 << 10;
    private static final int ALIGNMENT = 4096;

    private InternalSnapshots() {}

    /** Reads the table; EINVAL for a broken one. */
    static CompletionStage<SnapshotTable> read(ImageIo io, Qcow2Header header) {
        if (header.snapshotCount() == 0) {
            return CompletableFuture.completedFuture(new SnapshotTable(List.of(), 0));
        }
        long room = SnapshotTableLayout.bytesMax(header, io.fileSizeBytes());
        return read(io, header, (int) Math.min(room, FIRST_READ_BYTES), room);
    }

    /** Reads the table, none where it is broken: the disk can be read all the same. */
    static CompletionStage<SnapshotTable> readForDetails(ImageIo io, Qcow2Header header) {
        return read(io, header).exceptionally(failure -> new SnapshotTable(List.of(), 0));
    }

    /** A line for each snapshot, by the names that {@code qemu-img info} uses. */
    static List<Map<String, Object>> details(SnapshotTable table) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (SnapshotEntry entry : table.entries()) {
            Map<String, Object> snapshot = new LinkedHashMap<>();
            snapshot.put("id", entry.id());
            snapshot.put("name", entry.name());
            snapshot.put("date-sec", Integer.toUnsignedLong(entry.dateSeconds()));
            if (entry.diskSizeBytes() != -1) {
                snapshot.put("virtual-size", entry.diskSizeBytes());
            }
            snapshot.put("vm-state-size", entry.vmStateSizeBytes());
            list.add(snapshot);
        }
        return list;
    }

    /** As much as is needed is known only from what has been read. */
    private static CompletionStage<SnapshotTable> read(
            ImageIo io, Qcow2Header header, int lengthBytes, long room) {
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(lengthBytes, ALIGNMENT);
        return ChildFiles.read(io, header.snapshotsOffset(), bytes, lengthBytes, "snapshot table")
                .thenCompose(
                        table -> {
                            long needed =
                                    SnapshotTableLayout.bytesNeeded(bytes, header.snapshotCount());
                            if (needed > lengthBytes && lengthBytes < room) {
                                long next = Math.max(needed, 2L * lengthBytes);
                                return read(io, header, (int) Math.min(next, room), room);
                            }
                            return CompletableFuture.completedFuture(
                                    SnapshotTableLayout.parse(bytes, header, io.fileSizeBytes()));
                        });
    }

    /**
     * The header as it was at {@code name}'s snapshot; its own where there is none in the name, or
     * the file has all of that name.
     */
    static CompletionStage<Qcow2Header> headerAt(ImageIo io, Qcow2Header header, String name) {
        if (!ImageName.isSnapshot(name) || io.file().fileName().equals(name)) {
            return CompletableFuture.completedFuture(header);
        }
        String wanted = ImageName.of(name).snapshot();
        return read(io, header)
                .thenApply(
                        table -> {
                            SnapshotEntry entry = table.find(wanted);
                            if (entry == null) {
                                throw new BlockException(
                                        BlockError.ENOENT,
                                        "snapshot: name="
                                                + wanted
                                                + ", expected=id or name of one of "
                                                + table.entries().size()
                                                + " internal snapshots");
                            }
                            return header.atSnapshot(entry);
                        });
    }
}
