package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.qcow2.parents.Chain;
import io.quoin.qcow2.parents.HeldFile;
import io.quoin.qcow2.parents.Hold;
import io.quoin.qcow2.parents.ImageName;
import io.quoin.qcow2.parents.ParentGuard;
import io.quoin.qcow2.parents.SharedParents;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Opens an image and everything behind it: reads and checks the header, the L1 table and, for
 * writing, the refcount table; then the backing file, read-only, and so on down the chain.
 *
 * <p>Threading: thread-safe; what it opens is the given loop's.
 */
public final class ImageOpener {
    private static final int FIRST_READ_BYTES = 64 << 10;
    private static final int TABLE_PIECE_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;
    private static final String QCOW2 = "qcow2";
    private static final String RAW = "raw";
    private static final SnapshotTable NO_SNAPSHOTS = new SnapshotTable(List.of(), 0);

    private final Xlator subvolume;
    private final LoopMemories memory;
    private final long cacheBytes;
    private final DetectZeroes detectZeroes;
    private final CompressionWorkers workers;
    private final ParentGuard guard;
    private final SharedParents parents = new SharedParents();

    public ImageOpener(
            Xlator subvolume,
            ParentGuard guard,
            LoopMemories memory,
            long cacheBytes,
            DetectZeroes detectZeroes,
            CompressionWorkers workers) {
        this.subvolume = subvolume;
        this.guard = guard;
        this.memory = memory;
        this.cacheBytes = cacheBytes;
        this.detectZeroes = detectZeroes;
        this.workers = workers;
    }

    public CompletionStage<XlatorFile> open(String fileName, OpenMode mode, Loop loop) {
        return open(fileName, mode, loop, Chain.of(fileName));
    }

    /** The size that the header of {@code fileName} gives. */
    public CompletionStage<Long> virtualSize(String fileName, Loop loop) {
        return openFile(fileName, OpenMode.READ_ONLY, loop)
                .thenComposeAsync( // the stage may be done already: then it would go on here
                        file ->
                                ChildFiles.thenClose(
                                        file,
                                        open -> {
                                            ImageHealth health = new ImageHealth(fileName, false);
                                            ImageIo io = new ImageIo(open, loop, health);
                                            return readHeader(io, fileName)
                                                    .thenCompose(
                                                            image ->
                                                                    atSnapshot(io, image, fileName))
                                                    .thenApply(image -> image.header().sizeBytes());
                                        }),
                        loop);
    }

    /**
     * The file of an image or of a snapshot. A file that has the whole name is what is meant: who
     * named it, on the command line or in an overlay, need not know of snapshots.
     */
    private CompletionStage<XlatorFile> openFile(String fileName, OpenMode mode, Loop loop) {
        return fileOf(fileName, mode).thenCompose(file -> subvolume.open(file, mode, loop));
    }

    /**
     * The name of the file that {@link #open} would use.
     *
     * @return fails with EPERM if a snapshot would be written
     */
    public CompletionStage<String> fileOf(String fileName, OpenMode mode) {
        return fileOf(fileName)
                .thenApply(
                        file -> {
                            if (!file.equals(fileName) && mode != OpenMode.READ_ONLY) {
                                throw new BlockException(
                                        BlockError.EPERM,
                                        "a snapshot is read-only: name=" + fileName);
                            }
                            return file;
                        });
    }

    private CompletionStage<String> fileOf(String fileName) {
        if (!ImageName.isSnapshot(fileName)) {
            return CompletableFuture.completedFuture(fileName);
        }
        return subvolume
                .stat(fileName)
                .handle(
                        (info, failure) -> {
                            if (failure == null) {
                                return CompletableFuture.completedFuture(fileName);
                            }
                            return ChildFiles.errorOf(failure) == BlockError.ENOENT
                                    ? CompletableFuture.completedFuture(
                                            ImageName.of(fileName).file())
                                    : CompletableFuture.<String>failedFuture(failure);
                        })
                .thenCompose(Function.identity());
    }

    /**
     * A backing file of either format, read-only, for the last of {@code chain}; on the loop. It is
     * kept from being changed until it is closed.
     */
    public CompletionStage<XlatorFile> openBacking(
            String name, String format, Loop loop, Chain chain) {
        String image = chain.image();
        BackingName.require(image, name);
        chain.requireNext(name);
        requireFormat(image, format);
        Hold hold = guard.pin(name, image);
        return fileId(name)
                .thenComposeAsync(
                        fileId -> {
                            SharedParents.Key key = new SharedParents.Key(name, format, fileId);
                            return parents.open(
                                    key, loop, chain, next -> openParent(name, format, loop, next));
                        },
                        loop)
                .handle((file, failure) -> HeldFile.of(file, failure, hold))
                .thenCompose(Function.identity());
    }

    private CompletionStage<XlatorFile> openParent(
            String name, String format, Loop loop, Chain chain) {
        return format.equals(RAW)
                ? subvolume.open(name, OpenMode.READ_ONLY, loop)
                : open(name, OpenMode.READ_ONLY, loop, chain);
    }

    /** 0 where it is not known; what is wrong with the file shows when it is opened. */
    private CompletionStage<Long> fileId(String name) {
        return fileOf(name)
                .thenCompose(subvolume::stat)
                .handle((info, failure) -> failure == null ? info.fileId() : 0L);
    }

    private static void requireFormat(String image, String format) {
        if (!format.equals(QCOW2) && !format.equals(RAW)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "backing format: image=" + image + ", expected=qcow2 or raw, actual=" + format);
        }
    }

    private CompletionStage<XlatorFile> open(
            String fileName, OpenMode mode, Loop loop, Chain chain) {
        return openFile(fileName, mode, loop)
                .thenComposeAsync( // as above
                        file ->
                                ChildFiles.orClose(
                                        file, child -> load(child, fileName, mode, loop, chain)),
                        loop);
    }

    private CompletionStage<XlatorFile> load(
            XlatorFile child, String fileName, OpenMode mode, Loop loop, Chain chain) {
        boolean writable = mode == OpenMode.READ_WRITE;
        ImageHealth health = new ImageHealth(fileName, writable);
        ImageIo io = new ImageIo(child, loop, health);
        return readHeader(io, fileName)
                .thenCompose(image -> atSnapshot(io, image, fileName))
                .thenCompose(
                        image -> {
                            requireServable(fileName, image.header(), child, writable);
                            requireDataFile(fileName, image.header(), chain.names());
                            TableMemory tableMemory =
                                    memory.tables(fileName, image.header(), writable);
                            return settled(io, image, fileName, writable)
                                    .thenCompose(settled -> readTables(io, settled, writable))
                                    .thenCompose(tables -> openDataFile(io, tables, mode))
                                    .thenCompose(
                                            tables ->
                                                    orCloseData(
                                                            io,
                                                            () ->
                                                                    assemble(
                                                                            io,
                                                                            tables,
                                                                            tableMemory,
                                                                            writable,
                                                                            chain)))
                                    .whenComplete(tableMemory::giveBackIfFailed);
                        });
    }

    private CompletionStage<XlatorFile> assemble(
            ImageIo io, LoadedImage image, TableMemory tableMemory, boolean writable, Chain chain) {
        String fileName = io.file().fileName();
        return openBackingOf(image, io.loop(), chain)
                .thenCompose(
                        all ->
                                ImageAssembly.assemble(
                                        io,
                                        all,
                                        fileName,
                                        writable,
                                        memory.of(io.loop()),
                                        tableMemory,
                                        cacheBytes,
                                        detectZeroes,
                                        workers));
    }

    /** The image, its refcounts rebuilt if they are wanted and not to be trusted. */
    private static CompletionStage<LoadedImage> settled(
            ImageIo io, LoadedImage image, String fileName, boolean writable) {
        return writable && image.header().isDirty()
                ? DirtyImage.settle(io.file(), fileName, io.loop())
                        .thenCompose(nothing -> readHeader(io, fileName))
                : CompletableFuture.completedFuture(image);
    }

    private static CompletionStage<LoadedImage> readHeader(ImageIo io, String fileName) {
        long fileSize = io.fileSizeBytes();
        int first = (int) Math.min(fileSize, FIRST_READ_BYTES);
        if (first == 0) {
            throw new BlockException(BlockError.EINVAL, "image is empty: file=" + fileName);
        }
        return named(fileName, read(io, 0, first, "qcow2 header"))
                .thenCompose(
                        bytes -> {
                            int cluster =
                                    named(fileName, () -> HeaderLayout.clusterSizeBytes(bytes));
                            int wanted = (int) Math.min(cluster, fileSize);
                            return wanted <= bytes.capacity()
                                    ? CompletableFuture.completedFuture(bytes)
                                    : named(fileName, read(io, 0, wanted, "qcow2 header"));
                        })
                .thenApply(
                        bytes ->
                                new LoadedImage(
                                        named(fileName, () -> Qcow2Header.parse(bytes, fileSize)),
                                        bytes,
                                        new long[0],
                                        new long[0],
                                        NO_SNAPSHOTS,
                                        null));
    }

    private static CompletionStage<LoadedImage> atSnapshot(
            ImageIo io, LoadedImage image, String fileName) {
        return named(
                        ImageName.of(fileName).file(),
                        InternalSnapshots.headerAt(io, image.header(), fileName))
                .thenApply(image::withHeader);
    }

    /** Puts the file's name in front of what is wrong with it. */
    private static <T> T named(String fileName, Supplier<T> parser) {
        try {
            return parser.get();
        } catch (BlockException e) {
            throw e.about(fileName);
        }
    }

    /** As {@link #named(String, Supplier)}, of what is only being read. */
    private static <T> CompletionStage<T> named(String fileName, CompletionStage<T> reading) {
        return reading.exceptionallyCompose(
                failure ->
                        CompletableFuture.failedFuture(
                                ChildFiles.causeOf(failure) instanceof BlockException e
                                        ? e.about(fileName)
                                        : failure));
    }

    private static void requireServable(
            String fileName, Qcow2Header header, XlatorFile child, boolean writable) {
        named(
                fileName,
                () -> {
                    header.requireServable(writable, child.geometry().sizeBytes());
                    return header;
                });
        requireTransfer(fileName, header, child);
    }

    private static void requireTransfer(String fileName, Qcow2Header header, XlatorFile child) {
        int blockSizeMin = child.geometry().blockSizeMin();
        if (header.clusterSizeBytes() < blockSizeMin
                || blockSizeMin > SliceCache.SLICE_BYTES
                || child.geometry().transferBytesMax() < header.clusterSizeBytes()) {
            throw refused(
                    fileName,
                    "cluster size "
                            + header.clusterSizeBytes()
                            + " is not between the file's block size "
                            + blockSizeMin
                            + " and its largest transfer "
                            + child.geometry().transferBytesMax());
        }
    }

    private static BlockException refused(String fileName, String why) {
        return new BlockException(
                BlockError.ENOTSUP, "image cannot be opened: file=" + fileName + ", " + why);
    }

    private static CompletionStage<LoadedImage> readTables(
            ImageIo io, LoadedImage image, boolean writable) {
        Qcow2Header header = image.header();
        int l1Bytes = header.l1Size() * Long.BYTES;
        CompletionStage<long[]> l1 = readLongs(io, header.l1TableOffset(), l1Bytes, "L1 table");
        CompletionStage<long[]> refcounts =
                writable
                        ? readLongs(
                                io,
                                header.refcountTableOffset(),
                                (int) header.refcountTableBytes(),
                                "refcount table")
                        : CompletableFuture.completedFuture(new long[0]);
        // Where the snapshots' tables are, so that nothing writes there; a reader does without
        // them.
        CompletionStage<SnapshotTable> snapshots =
                writable
                        ? InternalSnapshots.read(io, header)
                        : InternalSnapshots.readForDetails(io, header);
        return named(
                io.file().fileName(),
                l1.thenCombine(
                                refcounts,
                                (l1Table, refcountTable) ->
                                        new LoadedImage(
                                                header,
                                                image.firstCluster(),
                                                l1Table,
                                                refcountTable,
                                                NO_SNAPSHOTS,
                                                null))
                        .thenCombine(snapshots, LoadedImage::withSnapshots));
    }

    private static CompletionStage<long[]> readLongs(
            ImageIo io, long hostOffset, int lengthBytes, String what) {
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(new long[0]);
        }
        int pieceBytes = Math.min(lengthBytes, TABLE_PIECE_BYTES);
        ByteBuffer piece = BufferUtil.allocateDirectAligned(pieceBytes, ALIGNMENT);
        return readLongs(io, hostOffset, new long[lengthBytes / Long.BYTES], 0, piece, what);
    }

    /** Piece by piece: the longest table is 32 MiB, which need not be in memory twice. */
    private static CompletionStage<long[]> readLongs(
            ImageIo io, long hostOffset, long[] entries, int from, ByteBuffer piece, String what) {
        int count = Math.min(entries.length - from, piece.capacity() / Long.BYTES);
        return read(io, hostOffset + (long) from * Long.BYTES, piece, count * Long.BYTES, what)
                .thenCompose(
                        bytes -> {
                            bytes.asLongBuffer().get(entries, from, count);
                            return from + count == entries.length
                                    ? CompletableFuture.completedFuture(entries)
                                    : readLongs(io, hostOffset, entries, from + count, piece, what);
                        });
    }

    private static CompletionStage<ByteBuffer> read(
            ImageIo io, long hostOffset, int lengthBytes, String what) {
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(lengthBytes, ALIGNMENT);
        return read(io, hostOffset, bytes, lengthBytes, what);
    }

    private static CompletionStage<ByteBuffer> read(
            ImageIo io, long hostOffset, ByteBuffer bytes, int lengthBytes, String what) {
        return ChildFiles.stage(
                        "read of the " + what + " at host offset " + hostOffset,
                        outcome ->
                                io.read(
                                        hostOffset,
                                        BufferUtil.address(bytes),
                                        lengthBytes,
                                        outcome))
                .thenApply(nothing -> bytes);
    }

    /** Before anything is mended for writing: the file that is named may be anybody's. */
    private static void requireDataFile(String fileName, Qcow2Header header, List<String> chain) {
        String name = header.dataFile();
        if (!header.hasExternalDataFile() || name == null) {
            return;
        }
        if (chain.contains(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "data file is an image of its own chain: image="
                            + fileName
                            + ", data file="
                            + name);
        }
        BackingName.requireDataFile(fileName, name);
    }

    /**
     * A plain file of the volume that has the guest's data; the image's own file otherwise. It is
     * held as the image is.
     */
    private CompletionStage<LoadedImage> openDataFile(
            ImageIo io, LoadedImage image, OpenMode mode) {
        String name = image.header().dataFile();
        if (!image.header().hasExternalDataFile() || name == null) {
            return CompletableFuture.completedFuture(image);
        }
        String owner = io.file().fileName(); // of a snapshot too
        CompletionStage<Hold> holding =
                mode == OpenMode.READ_WRITE
                        ? guard.toWrite(name, owner)
                        : CompletableFuture.completedFuture(guard.pin(name, owner));
        return holding.thenCompose(hold -> openHeld(name, mode, io.loop(), hold))
                .thenComposeAsync( // as above
                        file ->
                                ChildFiles.orClose(
                                        file,
                                        data -> {
                                            String fileName = io.file().fileName();
                                            requireTransfer(fileName, image.header(), data);
                                            requireRoom(fileName, image.header(), data, mode);
                                            io.dataFile(data);
                                            return CompletableFuture.completedFuture(image);
                                        }),
                        io.loop());
    }

    /** Opens a file that is held, until it is closed or cannot be opened. */
    private CompletionStage<XlatorFile> openHeld(String name, OpenMode mode, Loop loop, Hold hold) {
        return subvolume
                .open(name, mode, loop)
                .handle((file, failure) -> HeldFile.of(file, failure, hold))
                .thenCompose(Function.identity());
    }

    private static void requireRoom(
            String fileName, Qcow2Header header, XlatorFile data, OpenMode mode) {
        long sizeBytes = data.geometry().sizeBytes();
        if (mode == OpenMode.READ_WRITE
                && sizeBytes < header.sizeBytes()
                && !data.capabilities().canGrow()) {
            throw refused(
                    fileName,
                    "the data file cannot grow to the virtual size "
                            + header.sizeBytes()
                            + ": data file="
                            + data.fileName()
                            + ", size="
                            + sizeBytes);
        }
    }

    /** The data file does not stay open if what comes after it fails. */
    private static <T> CompletionStage<T> orCloseData(
            ImageIo io, Supplier<CompletionStage<T>> next) {
        return io.hasDataFile() ? ChildFiles.orClose(io.data(), data -> next.get()) : next.get();
    }

    private CompletionStage<LoadedImage> openBackingOf(LoadedImage image, Loop loop, Chain chain) {
        String name = image.header().backingFile();
        String format = image.header().backingFormat();
        if (name == null || format == null) {
            return CompletableFuture.completedFuture(image);
        }
        return openBacking(name, format, loop, chain).thenApply(image::withBacking);
    }

    /**
     * What has been read of an image.
     *
     * <p>Threading: confined(loop).
     */
    static final class LoadedImage {
        private final Qcow2Header header;
        private final ByteBuffer firstCluster;
        private final long[] l1;
        private final long[] refcountTable;
        private final SnapshotTable snapshots;
        private final @Nullable XlatorFile backing;

        LoadedImage(
                Qcow2Header header,
                ByteBuffer firstCluster,
                long[] l1,
                long[] refcountTable,
                SnapshotTable snapshots,
                @Nullable XlatorFile backing) {
            this.header = header;
            this.firstCluster = firstCluster;
            this.l1 = l1;
            this.refcountTable = refcountTable;
            this.snapshots = snapshots;
            this.backing = backing;
        }

        Qcow2Header header() {
            return header;
        }

        ByteBuffer firstCluster() {
            return firstCluster;
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

        LoadedImage withHeader(Qcow2Header other) {
            return new LoadedImage(other, firstCluster, l1, refcountTable, snapshots, backing);
        }

        LoadedImage withBacking(XlatorFile file) {
            return new LoadedImage(header, firstCluster, l1, refcountTable, snapshots, file);
        }

        LoadedImage withSnapshots(SnapshotTable table) {
            return new LoadedImage(header, firstCluster, l1, refcountTable, table, backing);
        }
    }
}
