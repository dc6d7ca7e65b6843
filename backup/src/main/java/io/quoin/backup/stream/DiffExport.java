package io.quoin.backup.stream;

import io.quoin.backup.BackedDisk;
import io.quoin.backup.BackupEvents;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Extent;
import io.quoin.qcow2.diff.DiffExtent;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Writes what differs between two snapshots of a disk, or all of one, as a stream. Parts are read
 * ahead, and looked at for zeros in the order of the disk. Waits, and throws {@link
 * BlockException}.
 *
 * <p>Threading: confined to its thread.
 */
public final class DiffExport {
    private static final int EXTENTS_AT_ONCE = 10_000;

    /** So that the extents of it are few enough to be held. */
    private static final long WINDOW_BYTES = 256L << 20;

    /** What is looked at for zeros at once. */
    private static final int UNIT_BYTES = 64 << 10;

    /** Read ahead. */
    private static final int DEPTH = 4;

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(UNIT_BYTES);

    private final BackedDisk disk;
    private final BackupEvents events;
    private final DiffStreamWriter stream;
    private final Deque<Part> parts = new ArrayDeque<>();

    /** Whether the target reads as zeros where nothing is told. */
    private final boolean isFull;

    private final DiffHeader header;

    /** Zeros that are not written yet, since more may follow. */
    private long zerosFrom;

    private long zerosTo;
    private long dataBytes;
    private long zeroBytes;

    /** A part of the disk on its way; without memory it reads as zeros. */
    private record Part(
            long offsetBytes,
            long lengthBytes,
            @Nullable ByteBuffer memory,
            CompletableFuture<Void> read) {}

    /**
     * What was written.
     *
     * @param header of the stream
     * @param dataBytes of the disk
     * @param zeroBytes of the disk that have become zeros
     * @param streamBytes the length of the stream
     */
    public record Result(DiffHeader header, long dataBytes, long zeroBytes, long streamBytes) {}

    private DiffExport(
            BackedDisk disk, DiffHeader header, DiffStreamWriter stream, BackupEvents events) {
        this.disk = disk;
        this.header = header;
        this.isFull = header.from() == null;
        this.stream = stream;
        this.events = events;
    }

    /**
     * Writes a stream.
     *
     * @param from name of the older snapshot; null: none, all of the newer one is written
     * @param to name of the newer snapshot
     * @param out which the caller closes
     * @param name of the stream, for messages
     * @throws BlockException ENOENT without such a snapshot, ENOTSUP for one without a UUID, or if
     *     the older one is of a larger disk, ESTALE if one was replaced meanwhile
     */
    public static Result write(
            BackedDisk disk,
            @Nullable String from,
            String to,
            OutputStream out,
            String name,
            BackupEvents events) {
        DiffHeader.Point newer = point(disk, to);
        DiffHeader.Point older = from == null ? null : point(disk, from);
        long olderBytes = older == null ? 0 : sizeOf(disk, older.name());
        try (Disk source = disk.openSnapshot(newer.name())) {
            DiffHeader header =
                    new DiffHeader(disk.name(), older, newer, olderBytes, source.sizeBytes());
            if (header.sizeBytes() < olderBytes) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "disk has become smaller, and streams do not make disks smaller: "
                                + describe(header)
                                + ", size="
                                + olderBytes
                                + " and "
                                + header.sizeBytes());
            }
            DiffStreamWriter stream = new DiffStreamWriter(out, name);
            return new DiffExport(disk, header, stream, events).run(source);
        }
    }

    private static String describe(DiffHeader header) {
        DiffHeader.Point from = header.from();
        return "disk="
                + header.disk()
                + ", from="
                + (from == null ? "" : from.name())
                + ", to="
                + header.to().name();
    }

    private static DiffHeader.Point point(BackedDisk disk, String name) {
        for (BackedDisk.Point point : disk.snapshots()) {
            if (point.name().equals(name)) {
                String uuid = point.uuid();
                if (uuid == null) {
                    throw new BlockException(
                            BlockError.ENOTSUP,
                            "snapshot was made by another program, and has no UUID to know it by"
                                    + " elsewhere: name="
                                    + disk.name()
                                    + '@'
                                    + name);
                }
                return new DiffHeader.Point(name, UUID.fromString(uuid));
            }
        }
        throw new BlockException(
                BlockError.ENOENT, "no such snapshot: name=" + disk.name() + '@' + name);
    }

    private static long sizeOf(BackedDisk disk, String snapshot) {
        try (Disk open = disk.openSnapshot(snapshot)) {
            return open.sizeBytes();
        }
    }

    private Result run(Disk source) {
        stream.head(header);
        DiffHeader.Point from = header.from();
        if (from == null) {
            tellAll(source);
        } else {
            tellChanges(from.name(), source);
        }
        writeUntil(0, source);
        writeZeros();
        // What was compared and read by its name was that snapshot all the time.
        requireSame(header.to());
        if (from != null) {
            requireSame(from);
        }
        stream.done();
        return new Result(header, dataBytes, zeroBytes, stream.bytes());
    }

    private void requireSame(DiffHeader.Point snapshot) {
        if (!point(disk, snapshot.name()).equals(snapshot)) {
            throw new BlockException(
                    BlockError.ESTALE,
                    "snapshot was replaced while it was read: name="
                            + disk.name()
                            + '@'
                            + snapshot.name());
        }
    }

    private void tellAll(Disk source) {
        long size = source.sizeBytes();
        for (long start = 0; start < size; start += WINDOW_BYTES) {
            for (Extent extent : source.blockStatus(start, Math.min(WINDOW_BYTES, size - start))) {
                tell(source, extent.offsetBytes(), extent.lengthBytes(), extent.isZero());
            }
            passed(Math.min(size, start + WINDOW_BYTES));
        }
    }

    private void tellChanges(String older, Disk source) {
        long start = 0;
        List<DiffExtent> few;
        do {
            few = disk.changes(older, header.to().name(), start, EXTENTS_AT_ONCE);
            for (DiffExtent extent : few) {
                tell(source, extent.start(), extent.length(), extent.zero());
                start = extent.start() + extent.length();
                passed(start);
            }
        } while (few.size() == EXTENTS_AT_ONCE);
        passed(header.sizeBytes());
    }

    private void passed(long offsetBytes) {
        events.progress(offsetBytes, header.sizeBytes());
        events.checkpoint();
    }

    private void tell(Disk source, long start, long length, boolean isZero) {
        if (isZero) {
            add(new Part(start, length, null, CompletableFuture.completedFuture(null)), source);
            return;
        }
        long end = start + length;
        for (long at = start; at < end; at += DiffStreamLayout.DATA_BYTES_MAX) {
            int part = (int) Math.min(DiffStreamLayout.DATA_BYTES_MAX, end - at);
            ByteBuffer memory = ByteBuffer.allocate(part);
            add(new Part(at, part, memory, source.readAsync(at, memory)), source);
            events.checkpoint();
        }
    }

    private void add(Part part, Disk source) {
        parts.add(part);
        writeUntil(DEPTH, source);
    }

    /** Until no more than so many are on their way. */
    private void writeUntil(int left, Disk source) {
        while (parts.size() > left) {
            Part part = parts.remove();
            source.await(part.read());
            write(part);
        }
    }

    private void write(Part part) {
        ByteBuffer memory = part.memory();
        if (memory == null) {
            zero(part.offsetBytes(), part.lengthBytes());
            return;
        }
        int length = memory.limit();
        int start = 0;
        while (start < length) {
            boolean isZero = isZero(memory, start, length);
            int end = start;
            while (end < length && isZero(memory, end, length) == isZero) {
                end = Math.min(length, end + UNIT_BYTES);
            }
            if (isZero) {
                zero(part.offsetBytes() + start, end - start);
            } else {
                writeZeros();
                stream.data(part.offsetBytes() + start, memory.slice(start, end - start));
                dataBytes += end - start;
            }
            start = end;
        }
    }

    private static boolean isZero(ByteBuffer memory, int start, int limit) {
        int length = Math.min(UNIT_BYTES, limit - start);
        return memory.slice(start, length).mismatch(ZEROS.slice(0, length)) < 0;
    }

    private void zero(long offsetBytes, long lengthBytes) {
        if (isFull) {
            return;
        }
        if (offsetBytes != zerosTo) {
            writeZeros();
            zerosFrom = offsetBytes;
        }
        zerosTo = offsetBytes + lengthBytes;
    }

    private void writeZeros() {
        if (zerosFrom < zerosTo) {
            stream.zero(zerosFrom, zerosTo - zerosFrom);
            zeroBytes += zerosTo - zerosFrom;
        }
        zerosFrom = zerosTo;
    }
}
