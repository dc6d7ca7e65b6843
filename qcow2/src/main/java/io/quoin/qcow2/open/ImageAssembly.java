package io.quoin.qcow2.open;

import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.cluster.WriteGate;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.parents.ImageName;
import io.quoin.qcow2.refcount.LeakReclaim;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.qcow2.snapshot.ImageSnapshots;
import io.quoin.qcow2.snapshot.SnapshotTableStore;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last step of opening: puts the parts of an image together, and reads what has to be known
 * before the first request.
 *
 * <p>Threading: confined(loop).
 */
final class ImageAssembly {
    /** Autoclear bits of what this writer keeps right; all others go before the first change. */
    private static final long AUTOCLEAR_KEPT =
            Qcow2Header.BITMAPS_CONSISTENT | Qcow2Header.RAW_EXTERNAL_DATA;

    private static final Logger LOG = LoggerFactory.getLogger(ImageAssembly.class);

    private final Opening opening;
    private final WriteGate gate = new WriteGate();
    private final ImageBitmaps bitmaps;
    private final ImageParts parts;
    private final OpenImage image;
    private final ImageSnapshots snapshots;
    private final boolean leaks;

    /** Nothing is written yet; EIO if metadata overlaps. */
    ImageAssembly(Opening opening) {
        this.opening = opening;
        ImageIo io = opening.io;
        MetadataMap map = io.map();
        Qcow2Header qcow2Header = opening.header();
        io.clusterBits(qcow2Header.clusterBits());
        if (opening.writable) {
            new MetadataClaims(map, qcow2Header.clusterBits(), opening.fileName).addAll(opening);
        }
        HeaderStore header =
                new HeaderStore(
                        io,
                        qcow2Header,
                        opening.head().firstCluster(),
                        io.file().geometry().blockSizeMin());
        io.health().whenCorrupt(header::setCorrupt);
        LoopMemory memory = opening.setup.memory().of(io.loop());
        MappingTables tables =
                new MappingTables(
                        io,
                        map,
                        qcow2Header.geometry(),
                        opening.l1(),
                        qcow2Header.l1TableOffset(),
                        memory.cache(),
                        opening.setup.cacheBytes());
        Refcounts refcounts =
                new Refcounts(
                        io, map, qcow2Header, header, opening.refcountTable(), memory.cache());
        this.leaks = gateAutoclear(header);
        this.bitmaps = new ImageBitmaps(io, map, header, refcounts);
        this.parts =
                new ImageParts(
                        io,
                        header,
                        tables,
                        new MappingFlusher(io, tables, refcounts),
                        refcounts,
                        gate,
                        bitmaps,
                        opening.backing(),
                        opening.setup.workers(),
                        memory.cowBuffers(qcow2Header.clusterSizeBytes()),
                        opening.tableMemory::giveBack);
        this.image = new OpenImage(parts);
        this.snapshots =
                new ImageSnapshots(
                        image,
                        parts,
                        new SnapshotTableStore(io, header, refcounts, opening.snapshots()),
                        this::holdSnapshot,
                        opening.writable);
        opening.setup.detectZeroes().applyTo(image);
    }

    private CompletionStage<Runnable> holdSnapshot(String idOrName) {
        return opening.setup
                .guard()
                .toChangeSnapshot(ImageName.snapshot(opening.fileName, idOrName))
                .thenApply(hold -> hold::release);
    }

    /** The open image once it may have requests. */
    CompletionStage<XlatorFile> file() {
        Qcow2File file =
                new Qcow2File(
                        opening,
                        parts,
                        image,
                        snapshots,
                        opening.setup.memory().of(opening.io.loop()).checkTurns());
        return loadBitmaps()
                .<XlatorFile>thenApply(
                        nothing -> {
                            startReclaim();
                            return file;
                        })
                .whenComplete(
                        (opened, failure) -> {
                            if (failure != null) {
                                image.releaseMemory();
                            }
                        });
    }

    /**
     * Unknown bits go before the first change, and the mark of leaks comes. With one bit that is
     * unknown there may be clusters that are referred to in an unknown way: then the mark that is
     * there says nothing. Lazy refcounts have the dirty bit in its place: they are rebuilt.
     *
     * @return whether a writer was killed and left a mark that counts
     */
    private boolean gateAutoclear(HeaderStore header) {
        Qcow2Header now = header.header();
        boolean marked = now.mayHaveLeaks();
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
            gate.add(WriteGate.Stage.RESERVATION, header::markLeaks);
        }
        return valid;
    }

    /** An image whose bitmaps cannot be read is not written: changes would be missing in them. */
    private CompletionStage<Void> loadBitmaps() {
        CompletableFuture<Void> loaded = new CompletableFuture<>();
        bitmaps.load(
                opening.writable,
                failure -> {
                    if (failure != null && opening.writable) {
                        loaded.completeExceptionally(failure);
                        return;
                    }
                    if (failure != null) {
                        LOG.warn("bitmaps cannot be read: {}", failure.getMessage());
                    }
                    if (opening.writable && bitmaps.needsMark()) {
                        gate.add(WriteGate.Stage.BITMAPS, bitmaps::markInUse);
                    }
                    loaded.complete(null);
                });
        return loaded;
    }

    private void startReclaim() {
        if (!opening.writable) {
            return;
        }
        LeakReclaim reclaim = image.reclaim();
        if (!bitmaps.areTablesTheirOwn()) {
            reclaim.giveUpWhenStarted("the table of a bitmap overlaps other metadata");
        }
        bitmaps.forEachTable((entries, offset) -> reclaim.addBitmapTable(offset, entries));
        reclaim.snapshots(
                () ->
                        snapshots.table().entries().stream()
                                .map(
                                        snapshot ->
                                                reclaim.snapshotRoot(
                                                        snapshot.l1TableOffset(),
                                                        snapshot.l1Size()))
                                .toList());
        if (leaks) {
            reclaim.start();
        }
    }
}
