package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.qcow2.parents.Chain;
import io.quoin.qcow2.parents.HeldFile;
import io.quoin.qcow2.parents.Hold;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One image whose header has been read, on its way to an open file. Each step begins when the one
 * before has ended.
 *
 * <pre>
 *  LIMITS   what cannot be served is refused, before anything is claimed or repaired
 *  MEMORY   for tables, before they are read
 *  DIRTY    refcounts are rebuilt, if the image is to be written
 *  TABLES   L1; for writing refcount table and snapshot table too
 *  DATA     an external data file is opened
 *  BACKING  and the chain behind it
 *  PARTS    are put together; metadata that overlaps is found; bitmaps are loaded, the search for leaks begins
 * </pre>
 *
 * When a step fails, what was opened or claimed is given back, the last first.
 *
 * <p>Threading: confined(loop).
 */
final class Opening {
    private static final SnapshotTable NO_SNAPSHOTS = new SnapshotTable(List.of(), 0);

    final OpenSetup setup;
    final ImageIo io;
    final String fileName;
    final boolean writable;
    private final OpenOptions options;
    final TableMemory tableMemory;
    private final ImageOpener opener;
    private final Chain chain;
    private ImageHead head;
    private long[] l1 = {};
    private long[] refcountTable = {};
    private SnapshotTable snapshots = NO_SNAPSHOTS;
    private @Nullable XlatorFile data;
    private @Nullable XlatorFile backing;

    /**
     * LIMITS and MEMORY.
     *
     * @throws BlockException ENOTSUP, EINVAL or ENOMEM, and nothing is claimed
     */
    Opening(
            ImageOpener opener,
            OpenSetup setup,
            ImageIo io,
            ImageHead head,
            String fileName,
            OpenOptions options,
            Chain chain) {
        this.opener = opener;
        this.setup = setup;
        this.io = io;
        this.head = head;
        this.fileName = fileName;
        this.options = options;
        this.writable = !options.isReadOnly();
        this.chain = chain;
        ImageHead.named(
                fileName,
                () -> {
                    head.header().requireServable(writable, io.file().geometry().sizeBytes());
                    return head;
                });
        requireTransfer(io.file());
        requireDataFile();
        this.tableMemory = setup.memory().tables(fileName, head.header(), writable);
    }

    CompletionStage<XlatorFile> run() {
        return settle().thenCompose(nothing -> readTables())
                .thenCompose(nothing -> openDataFile())
                .thenCompose(nothing -> openBacking())
                .thenCompose(nothing -> new ImageAssembly(this).file())
                .exceptionallyCompose(this::undo);
    }

    Qcow2Header header() {
        return head.header();
    }

    ImageHead head() {
        return head;
    }

    long[] l1() {
        return l1;
    }

    long[] refcountTable() {
        return refcountTable;
    }

    SnapshotTable snapshots() {
        return snapshots;
    }

    @Nullable XlatorFile backing() {
        return backing;
    }

    private CompletionStage<XlatorFile> undo(Throwable failure) {
        return ChildFiles.closeThen(
                backing,
                () ->
                        ChildFiles.closeThen(
                                data,
                                () -> {
                                    tableMemory.giveBack();
                                    return CompletableFuture.failedFuture(failure);
                                }));
    }

    private void requireTransfer(XlatorFile file) {
        int blockSizeMin = file.geometry().blockSizeMin();
        if (header().clusterSizeBytes() < blockSizeMin
                || blockSizeMin > SliceCache.SLICE_BYTES
                || file.geometry().transferBytesMax() < header().clusterSizeBytes()) {
            throw refused(
                    "cluster size "
                            + header().clusterSizeBytes()
                            + " is not between the file's block size "
                            + blockSizeMin
                            + " and its largest transfer "
                            + file.geometry().transferBytesMax());
        }
    }

    private BlockException refused(String why) {
        return new BlockException(
                BlockError.ENOTSUP, "image cannot be opened: file=" + fileName + ", " + why);
    }

    /** The name of the external data file; null: there is none. */
    private @Nullable String dataFile() {
        return header().hasExternalDataFile() ? header().dataFile() : null;
    }

    private void requireDataFile() {
        String name = dataFile();
        if (name == null) {
            return;
        }
        if (chain.names().contains(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "data file is an image of its own chain: image="
                            + fileName
                            + ", data file="
                            + name);
        }
        BackingName.requireDataFile(fileName, name);
    }

    private CompletionStage<Void> settle() {
        return writable && header().isDirty()
                ? DirtyImage.settle(io.file(), fileName, io.loop())
                        .thenCompose(nothing -> ImageHead.read(io, fileName))
                        .thenAccept(settled -> head = settled)
                : CompletableFuture.completedFuture(null);
    }

    private CompletionStage<Void> readTables() {
        Qcow2Header header = header();
        int l1Bytes = header.l1Size() * Long.BYTES;
        int refcountBytes = writable ? (int) header.refcountTableBytes() : 0;
        CompletionStage<Void> entries =
                ImageHead.readTable(io, header.l1TableOffset(), l1Bytes, "L1 table")
                        .thenAccept(table -> l1 = table);
        CompletionStage<Void> counts =
                ImageHead.readTable(
                                io, header.refcountTableOffset(), refcountBytes, "refcount table")
                        .thenAccept(table -> refcountTable = table);
        // A reader does without a broken table; a writer has to know what not to overwrite.
        CompletionStage<Void> others =
                (writable
                                ? InternalSnapshots.read(io, header)
                                : InternalSnapshots.readForDetails(io, header))
                        .thenAccept(table -> snapshots = table);
        return ImageHead.named(
                io.file().fileName(),
                CompletableFuture.allOf(
                        entries.toCompletableFuture(),
                        counts.toCompletableFuture(),
                        others.toCompletableFuture()));
    }

    /** A plain file of the volume that has the guest's data. It is held as the image is. */
    private CompletionStage<Void> openDataFile() {
        String name = dataFile();
        if (name == null) {
            return CompletableFuture.completedFuture(null);
        }
        String owner = io.file().fileName(); // of a snapshot too
        CompletionStage<Hold> holding =
                writable
                        ? setup.guard().toWrite(name, owner)
                        : CompletableFuture.completedFuture(setup.guard().pin(name, owner));
        return holding.thenCompose(hold -> openHeld(name, hold))
                .thenAcceptAsync( // the stage may be done already: then it would go on here
                        file -> {
                            data = file;
                            requireTransfer(file);
                            requireRoom(file);
                            io.dataFile(file);
                        },
                        io.loop());
    }

    /** Opens a file that is held, until it is closed or cannot be opened. */
    private CompletionStage<XlatorFile> openHeld(String name, Hold hold) {
        return HeldFile.of(setup.subvolume().open(name, options.ofPart(), io.loop()), hold);
    }

    private void requireRoom(XlatorFile file) {
        long sizeBytes = file.geometry().sizeBytes();
        if (writable && sizeBytes < header().sizeBytes() && !file.capabilities().canGrow()) {
            throw refused(
                    "the data file cannot grow to the virtual size "
                            + header().sizeBytes()
                            + ": data file="
                            + file.fileName()
                            + ", size="
                            + sizeBytes);
        }
    }

    private CompletionStage<Void> openBacking() {
        String name = header().backingFile();
        String format = header().backingFormat();
        return name == null || format == null
                ? CompletableFuture.completedFuture(null)
                : opener.openBacking(name, format, io.loop(), chain)
                        .thenAccept(file -> backing = file);
    }
}
