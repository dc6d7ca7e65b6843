package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.cluster.WriteGate;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.refcount.LeakReclaim;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the parts of an open image together, and finds metadata that overlaps before anything is
 * written.
 *
 * <p>Threading: confined(loop).
 */
final class ImageAssembly {
    /** Autoclear bits of what this writer keeps right; all others go before the first change. */
    private static final long AUTOCLEAR_KEPT =
            Qcow2Header.BITMAPS_CONSISTENT | Qcow2Header.RAW_EXTERNAL_DATA;

    private static final Logger LOG = LoggerFactory.getLogger(ImageAssembly.class);

    private ImageAssembly() {}

    /** The open image; its backing file does not stay open if that fails, at once or later. */
    static CompletionStage<XlatorFile> assemble(
            ImageIo io,
            ImageOpener.LoadedImage loaded,
            String fileName,
            boolean writable,
            LoopMemory memory,
            TableMemory tableMemory,
            long cacheBytes,
            DetectZeroes detectZeroes,
            CompressionWorkers workers) {
        try {
            return make(
                    io,
                    loaded,
                    fileName,
                    writable,
                    memory,
                    tableMemory,
                    cacheBytes,
                    detectZeroes,
                    workers);
        } catch (RuntimeException | Error e) {
            return undo(loaded.backing(), e);
        }
    }

    private static CompletionStage<XlatorFile> make(
            ImageIo io,
            ImageOpener.LoadedImage loaded,
            String fileName,
            boolean writable,
            LoopMemory memory,
            TableMemory tableMemory,
            long cacheBytes,
            DetectZeroes detectZeroes,
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
        SliceCache cache = memory.cache();
        MappingTables tables =
                new MappingTables(
                        io,
                        map,
                        qcow2Header.geometry(),
                        loaded.l1(),
                        qcow2Header.l1TableOffset(),
                        cache,
                        cacheBytes);
        Refcounts refcounts =
                new Refcounts(io, map, qcow2Header, header, loaded.refcountTable(), cache);
        MappingFlusher flusher = new MappingFlusher(io, tables, refcounts);
        XlatorFile backing = loaded.backing();
        WriteGate gate = new WriteGate();
        boolean leaks = gateAutoclear(gate, header);
        ImageBitmaps bitmaps = new ImageBitmaps(io, map, header, refcounts);
        OpenImage image =
                new OpenImage(
                        new ImageParts(
                                io,
                                header,
                                tables,
                                flusher,
                                refcounts,
                                gate,
                                bitmaps,
                                backing,
                                workers,
                                memory.cowBuffers(qcow2Header.clusterSizeBytes()),
                                tableMemory::giveBack));
        detectZeroes.applyTo(image);
        Qcow2File file =
                new Qcow2File(
                        fileName,
                        image,
                        memory.checkTurns(),
                        io,
                        qcow2Header,
                        loaded.snapshots(),
                        bitmaps,
                        backing,
                        writable);
        return ready(file, image, bitmaps, gate, leaks, loaded, writable);
    }

    /** The file once what is to be known before the first request has been read. */
    private static CompletionStage<XlatorFile> ready(
            Qcow2File file,
            OpenImage image,
            ImageBitmaps bitmaps,
            WriteGate gate,
            boolean leaks,
            ImageOpener.LoadedImage loaded,
            boolean writable) {
        return loadBitmaps(bitmaps, gate, writable)
                .thenCompose(
                        nothing ->
                                leaks && writable
                                        ? startReclaim(image.reclaim(), bitmaps, loaded.snapshots())
                                        : CompletableFuture.completedFuture(null))
                .handle(
                        (nothing, failure) -> {
                            if (failure == null) {
                                return done(file);
                            }
                            image.releaseMemory();
                            return undo(loaded.backing(), failure);
                        })
                .thenCompose(Function.identity());
    }

    /**
     * Unknown bits go before the first change, and the mark of leaks comes. With one bit that is
     * unknown there may be clusters that are referred to in an unknown way: then the mark that is
     * there says nothing. Lazy refcounts have the dirty bit in its place: they are rebuilt.
     *
     * @return whether a writer was killed and left a mark that counts
     */
    private static boolean gateAutoclear(WriteGate gate, HeaderStore header) {
        Qcow2Header now = header.header();
        boolean marked = (now.autoclearFeatures() & Qcow2Header.LEAKS_POSSIBLE) != 0;
        boolean unknown = header.hasAutoclearBeyond(AUTOCLEAR_KEPT | Qcow2Header.LEAKS_POSSIBLE);
        if (unknown) {
            gate.add(
                    WriteGate.Stage.AUTOCLEAR,
                    outcome -> header.clearAutoclear(AUTOCLEAR_KEPT, outcome));
        }
        boolean valid = marked && !unknown && now.version() >= 3;
        boolean lazy = now.version() >= 3 && now.lazyRefcounts();
        if (lazy) {
            gate.add(
                    WriteGate.Stage.DIRTY_BIT,
                    outcome -> header.changeIncompatible(0, Qcow2Header.DIRTY, outcome));
        }
        if (!valid && now.version() >= 3 && !lazy) {
            gate.add(
                    WriteGate.Stage.RESERVATION,
                    outcome -> header.changeAutoclear(0, Qcow2Header.LEAKS_POSSIBLE, outcome));
        }
        return valid;
    }

    /** Served when the tables of bitmaps have been seen, which are small; the rest follows. */
    private static CompletionStage<Void> startReclaim(
            LeakReclaim reclaim, ImageBitmaps bitmaps, SnapshotTable snapshots) {
        if (!bitmaps.areTablesTheirOwn()) {
            reclaim.giveUpWhenStarted("the table of a bitmap overlaps other metadata");
        }
        bitmaps.forEachTable((entries, offset) -> reclaim.addBitmapTable(offset, entries));
        for (SnapshotEntry snapshot : snapshots.entries()) {
            reclaim.addSnapshot(snapshot.l1TableOffset(), snapshot.l1Size());
        }
        CompletableFuture<Void> servable = new CompletableFuture<>();
        reclaim.start(() -> servable.complete(null));
        return servable;
    }

    private static CompletionStage<XlatorFile> done(XlatorFile file) {
        return CompletableFuture.completedFuture(file);
    }

    private static CompletionStage<XlatorFile> undo(
            @Nullable XlatorFile backing, Throwable failure) {
        CompletionStage<XlatorFile> failed = CompletableFuture.failedFuture(failure);
        return backing == null
                ? failed
                : backing.close().handle((nothing, second) -> failed).thenCompose(s -> s);
    }

    /** An image whose bitmaps cannot be read is not written: changes would be missing in them. */
    private static CompletionStage<Void> loadBitmaps(
            ImageBitmaps bitmaps, WriteGate gate, boolean writable) {
        CompletableFuture<Void> loaded = new CompletableFuture<>();
        bitmaps.load(
                writable,
                failure -> {
                    if (failure != null && writable) {
                        loaded.completeExceptionally(failure);
                        return;
                    }
                    if (failure != null) {
                        LOG.warn("bitmaps cannot be read: {}", failure.getMessage());
                    }
                    if (writable && bitmaps.needsMark()) {
                        gate.add(WriteGate.Stage.BITMAPS, bitmaps::markInUse);
                    }
                    loaded.complete(null);
                });
        return loaded;
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
        claims.requireRoom(snapshotL1Clusters(snapshots, bits));
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

    private static long snapshotL1Clusters(SnapshotTable snapshots, int clusterBits) {
        long clusters = 0;
        for (SnapshotEntry snapshot : snapshots.entries()) {
            clusters += ((snapshot.l1Size() * 8L) >>> clusterBits) + 1;
        }
        return clusters;
    }

    /**
     * Entries with other faults are found when they are followed; two tables in one place here, and
     * more of them than memory is set aside for.
     *
     * <p>Threading: confined to its caller.
     */
    private record Claims(MetadataMap map, int clusterBits, String fileName) {
        void requireRoom(long clusters) {
            if (!map.hasRoom(clusters)) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "image has more metadata than are kept track of while it is written: file="
                                + fileName
                                + ", clusters of the next tables="
                                + clusters
                                + ", expected=in all within "
                                + MetadataMap.GROUPS_AT_OPEN_MAX
                                + " groups of 16; open it read-only");
            }
        }

        void add(long hostOffset, long lengthBytes, MetadataKind kind, String what) {
            if (lengthBytes == 0) {
                return;
            }
            long first = hostOffset >>> clusterBits;
            long last = (hostOffset + lengthBytes - 1) >>> clusterBits;
            requireRoom(last - first + 1);
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
