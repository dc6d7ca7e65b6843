package io.quoin.qcow2.file;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image file with its header, and blocking access to its tables.
 *
 * <p>Threading: confined to its user.
 */
public final class ClosedImage {
    private static final int PROBE_BYTES = 512;

    public final ImageFile file;
    public final Qcow2Header header;
    public final Qcow2Geometry geometry;
    public final long fileSizeBytes;
    public final int clusterBits;
    public final int clusterSize;
    private boolean settled = true;

    private ClosedImage(ImageFile file, Qcow2Header header, long fileSizeBytes) {
        this.file = file;
        this.header = header;
        this.geometry = header.geometry();
        this.fileSizeBytes = fileSizeBytes;
        this.clusterBits = header.clusterBits();
        this.clusterSize = header.clusterSizeBytes();
    }

    public static ClosedImage open(ImageFile file) {
        return open(file, Qcow2Header::parse);
    }

    /** One whose header is known; what it leads to lies in the file as {@code file} knows it. */
    public static ClosedImage of(ImageFile file, Qcow2Header header) {
        try {
            return new ClosedImage(file, header, file.sizeBytes());
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** As {@link #open}, also where the header has no place for the refcount table. */
    public static ClosedImage openForRepair(ImageFile file) {
        return open(file, Qcow2Header::parseForRepair);
    }

    /** As {@link #open}, also with a backing format that cannot be, which must be replaced. */
    public static ClosedImage openForRebase(ImageFile file) {
        return open(file, Qcow2Header::parseForRebase);
    }

    private interface Parser {
        Qcow2Header parse(ByteBuffer firstCluster, long fileSizeBytes);
    }

    private static ClosedImage open(ImageFile file, Parser parser) {
        try {
            long size = file.sizeBytes();
            ByteBuffer probe = ByteBuffer.allocate((int) Math.min(size, PROBE_BYTES));
            file.read(0, probe);
            int clusterSize = HeaderLayout.clusterSizeBytes(probe.flip());
            ByteBuffer first = ByteBuffer.allocate((int) Math.min(size, clusterSize));
            file.read(0, first);
            return new ClosedImage(file, parser.parse(first.flip(), size), size);
        } catch (IOException e) {
            throw failed(file, e);
        } catch (BlockException e) {
            throw e.about(file.name());
        }
    }

    public static BlockException failed(ImageFile file, IOException e) {
        return new BlockException(
                        Reason.errorOf(e), "image file: access failed: " + Reason.of(e), e)
                .about(file.name());
    }

    private BlockException failed(IOException e) {
        return failed(file, e);
    }

    /** What keeps the image from being used so. */
    public BlockException refusal(BlockError error, String why) {
        return new BlockException(error, why).about(file.name());
    }

    /** Whether a range lies within the file, whose last cluster may be cut short. */
    public boolean reaches(long hostOffset, long lengthBytes) {
        return hostOffset >= 0
                && hostOffset <= Long.MAX_VALUE - lengthBytes
                && hostOffset + lengthBytes - fileSizeBytes < clusterSize;
    }

    /** Clusters of the file, the last one maybe cut short. */
    public long clusters() {
        return geometry.clustersFor(fileSizeBytes);
    }

    /** A buffer for tables: as large as the cluster, at least 64 KiB. */
    public ByteBuffer tableBuffer() {
        return ByteBuffer.allocate(Math.max(clusterSize, 64 << 10));
    }

    /** Fills {@code target} from 0 to {@code lengthBytes}, ready to be read. */
    public ByteBuffer read(long hostOffset, ByteBuffer target, int lengthBytes) {
        target.clear().limit(lengthBytes);
        try {
            file.read(hostOffset, target);
        } catch (IOException e) {
            throw failed(e);
        }
        return target.flip();
    }

    /** Fills {@code target} from 0 on with tables of a cluster each, ready to be read. */
    public ByteBuffer readEach(long[] hostOffsets, int from, int to, ByteBuffer target) {
        target.clear().limit((to - from) << clusterBits);
        try {
            file.readEach(hostOffsets, from, to, clusterSize, target);
        } catch (IOException e) {
            throw failed(e);
        }
        return target.flip();
    }

    public void write(long hostOffset, ByteBuffer source) {
        settled = false;
        try {
            file.write(hostOffset, source);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    public void writeEntry(long hostOffset, long entry) {
        write(hostOffset, ByteBuffer.allocate(Long.BYTES).putLong(entry).flip());
    }

    /** What was written so far is stable before anything else is written. */
    public void settle() {
        if (!settled) {
            flush();
        }
    }

    public void flush() {
        try {
            file.flush();
            settled = true;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    public SnapshotTable snapshots() {
        return header.snapshotCount() == 0
                ? new SnapshotTable(List.of(), 0)
                : SnapshotTableLayout.parse(snapshotTable(), header, fileSizeBytes);
    }

    /** Those snapshots that can be read; what is wrong with the others is told. */
    public SnapshotTable snapshots(SnapshotTableLayout.Faults faults) {
        return header.snapshotCount() == 0
                ? new SnapshotTable(List.of(), 0)
                : SnapshotTableLayout.parseBroken(snapshotTable(), header, fileSizeBytes, faults);
    }

    /** The snapshot table as it has to be; null: as it is, or that cannot be known. */
    public SnapshotTableLayout.@Nullable Repaired repairedSnapshots() {
        if (header.snapshotCount() == 0) {
            return null;
        }
        long room = fileSizeBytes - header.snapshotsOffset();
        int length = (int) Math.min(room, SnapshotTableLayout.TABLE_BYTES_MAX);
        ByteBuffer table = read(header.snapshotsOffset(), ByteBuffer.allocate(length), length);
        return SnapshotTableLayout.repaired(table, header);
    }

    /** Those snapshots of {@code table} that can be read. */
    public SnapshotTable snapshots(
            SnapshotTableLayout.Repaired table, SnapshotTableLayout.Faults faults) {
        List<SnapshotEntry> entries =
                SnapshotTableLayout.parseBroken(table.table(), header, fileSizeBytes, faults)
                        .entries();
        return new SnapshotTable(entries, table.sizeOnDiskBytes());
    }

    /** Bytes of the refcount table; 0 where the header says no place that can be one. */
    public long refcountTableBytes() {
        return header.refcountTableFault() == null ? header.refcountTableBytes() : 0;
    }

    private ByteBuffer snapshotTable() {
        long room = SnapshotTableLayout.bytesMax(header, fileSizeBytes);
        long length = Math.min(room, PROBE_BYTES);
        while (true) {
            ByteBuffer table =
                    read(header.snapshotsOffset(), ByteBuffer.allocate((int) length), (int) length);
            long needed = SnapshotTableLayout.bytesNeeded(table, header.snapshotCount());
            if (needed <= length || length == room) {
                return table;
            }
            length = Math.min(room, Math.max(needed, 2 * length));
        }
    }

    public List<BitmapEntry> bitmaps() {
        BitmapsExtension extension = header.bitmaps();
        if (extension == null) {
            return List.of();
        }
        int length = Math.toIntExact(extension.directorySizeBytes());
        ByteBuffer directory =
                read(extension.directoryOffset(), ByteBuffer.allocate(length), length);
        return BitmapDirectoryLayout.parse(directory, extension, clusterSize, fileSizeBytes);
    }

    public void writeFeatures(long incompatible, long autoclear) {
        ByteBuffer fields = ByteBuffer.allocate(HeaderLayout.FEATURES_BYTES);
        HeaderLayout.encodeFeatures(fields, incompatible, header.compatibleFeatures(), autoclear);
        write(HeaderLayout.FEATURES_OFFSET, fields.flip());
        flush();
    }
}
