package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.parents.ImageName;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The header of an image that is being opened, and how tables are read by it.
 *
 * <p>Threading: confined(loop).
 *
 * @param firstCluster the bytes of cluster 0 as they are on disk
 */
record ImageHead(Qcow2Header header, ByteBuffer firstCluster) {
    private static final int FIRST_READ_BYTES = 64 << 10;
    private static final int TABLE_PIECE_BYTES = 1 << 20;

    /** Reads it; {@code fileName} is for messages. */
    static CompletionStage<ImageHead> read(ImageIo io, String fileName) {
        long fileSize = io.fileSizeBytes();
        int first = (int) Math.min(fileSize, FIRST_READ_BYTES);
        if (first == 0) {
            throw new BlockException(BlockError.EINVAL, "image is empty: file=" + fileName);
        }
        return named(fileName, readHeader(io, first))
                .thenCompose(
                        bytes -> {
                            int cluster =
                                    named(fileName, () -> HeaderLayout.clusterSizeBytes(bytes));
                            int wanted = (int) Math.min(cluster, fileSize);
                            return wanted <= bytes.capacity()
                                    ? CompletableFuture.completedFuture(bytes)
                                    : named(fileName, readHeader(io, wanted));
                        })
                .thenApply(
                        bytes ->
                                new ImageHead(
                                        named(fileName, () -> Qcow2Header.parse(bytes, fileSize)),
                                        bytes));
    }

    /** As {@link #read}, and if {@code fileName} means a snapshot, as the header was then. */
    static CompletionStage<ImageHead> readAtSnapshot(ImageIo io, String fileName) {
        return read(io, fileName)
                .thenCompose(
                        head ->
                                named(
                                                ImageName.of(fileName).file(),
                                                InternalSnapshots.headerAt(
                                                        io, head.header, fileName))
                                        .thenApply(
                                                header ->
                                                        new ImageHead(header, head.firstCluster)));
    }

    /** Reads a table of words; {@code what} is for messages. */
    static CompletionStage<long[]> readTable(
            ImageIo io, long hostOffset, int lengthBytes, String what) {
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(new long[0]);
        }
        int pieceBytes = Math.min(lengthBytes, TABLE_PIECE_BYTES);
        TransferMemory piece = new TransferMemory(pieceBytes);
        long[] entries = new long[lengthBytes / Long.BYTES];
        return readTable(io, hostOffset, entries, 0, piece.bytes(), what)
                .whenComplete((table, failure) -> piece.close());
    }

    /** Piece by piece: the longest table is 32 MiB, which need not be in memory twice. */
    private static CompletionStage<long[]> readTable(
            ImageIo io, long hostOffset, long[] entries, int from, ByteBuffer piece, String what) {
        int count = Math.min(entries.length - from, piece.capacity() / Long.BYTES);
        return ChildFiles.read(
                        io, hostOffset + (long) from * Long.BYTES, piece, count * Long.BYTES, what)
                .thenCompose(
                        bytes -> {
                            bytes.asLongBuffer().get(entries, from, count);
                            return from + count == entries.length
                                    ? CompletableFuture.completedFuture(entries)
                                    : readTable(io, hostOffset, entries, from + count, piece, what);
                        });
    }

    private static CompletionStage<ByteBuffer> readHeader(ImageIo io, int lengthBytes) {
        TransferMemory memory = new TransferMemory(lengthBytes);
        return ChildFiles.read(io, 0, memory.bytes(), lengthBytes, "qcow2 header")
                .thenApply(bytes -> ByteBuffer.allocate(lengthBytes).put(bytes).flip())
                .whenComplete((bytes, failure) -> memory.close());
    }

    /** Puts the file's name in front of what is wrong with it. */
    static <T> T named(String fileName, Supplier<T> parser) {
        try {
            return parser.get();
        } catch (BlockException e) {
            throw e.about(fileName);
        }
    }

    /** As {@link #named(String, Supplier)}, of what is only being read. */
    static <T> CompletionStage<T> named(String fileName, CompletionStage<T> reading) {
        return reading.exceptionallyCompose(
                failure ->
                        CompletableFuture.failedFuture(
                                ChildFiles.causeOf(failure) instanceof BlockException e
                                        ? e.about(fileName)
                                        : failure));
    }
}
