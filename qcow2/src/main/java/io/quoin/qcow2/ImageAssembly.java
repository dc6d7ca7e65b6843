package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cache.HeaderStore;
import io.quoin.qcow2.cache.ImageIo;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.MetadataKind;
import io.quoin.qcow2.cache.MetadataMap;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.cluster.WriteGate;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.xlator.XlatorFile;

/**
 * Puts the parts of an open image together, and finds metadata that overlaps before anything is
 * written.
 *
 * <p>Threading: confined(loop).
 */
final class ImageAssembly {
    /** Autoclear bits of what this writer keeps right; all others go before the first change. */
    private static final long AUTOCLEAR_KEPT = Qcow2Header.RAW_EXTERNAL_DATA;

    private ImageAssembly() {}

    static XlatorFile assemble(
            ImageIo io,
            ImageOpener.LoadedImage loaded,
            String fileName,
            boolean writable,
            long cacheBytes,
            CompressionWorkers workers) {
        Qcow2Header qcow2Header = loaded.header();
        MetadataMap map = io.map();
        io.clusterBits(qcow2Header.clusterBits());
        if (writable) {
            mapMetadata(io, loaded, fileName, map);
        }
        HeaderStore header =
                new HeaderStore(
                        io,
                        qcow2Header,
                        loaded.firstCluster(),
                        io.file().geometry().blockSizeMin());
        io.health().whenCorrupt(header::setCorrupt);
        MappingTables tables =
                new MappingTables(
                        io,
                        map,
                        qcow2Header.geometry(),
                        loaded.l1(),
                        qcow2Header.l1TableOffset(),
                        cacheBytes);
        Refcounts refcounts = new Refcounts(io, map, qcow2Header, header, loaded.refcountTable());
        MappingFlusher flusher = new MappingFlusher(io, tables, refcounts);
        XlatorFile backing = loaded.backing();
        WriteGate gate = new WriteGate();
        if (header.hasAutoclearBeyond(AUTOCLEAR_KEPT)) {
            gate.add(
                    WriteGate.Stage.AUTOCLEAR,
                    outcome -> header.clearAutoclear(AUTOCLEAR_KEPT, outcome));
        }
        OpenImage image =
                new OpenImage(
                        io,
                        qcow2Header,
                        header,
                        tables,
                        flusher,
                        refcounts,
                        gate,
                        backing,
                        workers);
        return new Qcow2File(fileName, image, io, qcow2Header, backing, writable);
    }

    private static void mapMetadata(
            ImageIo io, ImageOpener.LoadedImage loaded, String fileName, MetadataMap map) {
        Qcow2Header header = loaded.header();
        int bits = header.clusterBits();
        long fileSize = io.fileSizeBytes();
        map.add(0, MetadataKind.HEADER);
        Claims claims = new Claims(map, bits, fileName);
        claims.add(header.l1TableOffset(), header.l1Size() * 8L, MetadataKind.L1_TABLE, "L1 table");
        claims.add(
                header.refcountTableOffset(),
                header.refcountTableBytes(),
                MetadataKind.REFCOUNT_TABLE,
                "refcount table");
        SnapshotTable snapshots = loaded.snapshots();
        claims.add(
                header.snapshotsOffset(),
                snapshots.sizeBytes(),
                MetadataKind.SNAPSHOT_TABLE,
                "snapshot table");
        for (SnapshotEntry snapshot : snapshots.entries()) {
            claims.add(
                    snapshot.l1TableOffset(),
                    snapshot.l1Size() * 8L,
                    MetadataKind.SNAPSHOT_L1,
                    "L1 table of snapshot " + snapshot.id());
        }
        for (int i = 0; i < loaded.refcountTable().length; i++) {
            long entry = loaded.refcountTable()[i];
            if (entry != 0 && RefcountLayout.tableFault(entry, bits, fileSize).isNone()) {
                claims.add(entry, 1, MetadataKind.REFCOUNT_BLOCK, "refcount block " + i);
            }
        }
        for (int i = 0; i < loaded.l1().length; i++) {
            long entry = loaded.l1()[i];
            if (L1Entry.isAllocated(entry) && L1Entry.fault(entry, bits, fileSize).isNone()) {
                claims.add(L1Entry.hostOffset(entry), 1, MetadataKind.L2_TABLE, "L2 table " + i);
            }
        }
    }

    /**
     * Entries with other faults are found when they are followed; two tables in one place here.
     *
     * <p>Threading: confined to its caller.
     */
    private record Claims(MetadataMap map, int clusterBits, String fileName) {
        void add(long hostOffset, long lengthBytes, MetadataKind kind, String what) {
            if (lengthBytes == 0) {
                return;
            }
            long first = hostOffset >>> clusterBits;
            long last = (hostOffset + lengthBytes - 1) >>> clusterBits;
            if (!map.addAll(first, last - first + 1, kind)) {
                throw new BlockException(
                        BlockError.EIO,
                        "image is corrupt: file="
                                + fileName
                                + ", "
                                + what
                                + " overlaps other metadata: hostOffset="
                                + hostOffset
                                + "; open it read-only, or see quoin image check");
            }
        }
    }
}
