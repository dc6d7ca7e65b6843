package io.quoin.qcow2.served;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.io.FrozenMetadata;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Frozen metadata for the thread of a check, which waits: each read is a request on the loop. It
 * cannot be written.
 *
 * <p>Threading: confined to the check, never used on the loop; {@link #stop} by any.
 */
final class FrozenImageFile implements ImageFile {
    private static final int PIECE_BYTES = 256 << 10;
    private static final int ALIGNMENT = 4096;

    private final String name;
    private final FrozenMetadata metadata;
    private final Loop loop;
    private final ByteBuffer piece;
    private volatile @Nullable String stopped;

    /**
     * @param name of the image's file
     * @param piece from {@link #newPiece}
     */
    FrozenImageFile(String name, FrozenMetadata metadata, Loop loop, ByteBuffer piece) {
        this.name = name;
        this.metadata = metadata;
        this.loop = loop;
        this.piece = piece;
    }

    /** The memory that one of these reads into. */
    static ByteBuffer newPiece() {
        return BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT);
    }

    /** Every further read fails. */
    void stop(String reason) {
        stopped = reason;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return metadata.sizeBytes();
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) throws IOException {
        long at = hostOffset;
        while (target.hasRemaining()) {
            long from = at & -ALIGNMENT;
            int before = (int) (at - from);
            int wanted = Math.min(PIECE_BYTES - before, target.remaining());
            readPiece(from, (before + wanted + ALIGNMENT - 1) & -ALIGNMENT);
            target.put(piece.duplicate().position(before).limit(before + wanted));
            at += wanted;
        }
    }

    private void readPiece(long hostOffset, int lengthBytes) throws IOException {
        String reason = stopped;
        if (reason != null) {
            throw new BlockException(BlockError.ESHUTDOWN, reason);
        }
        CompletableFuture<BlockError> done = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        metadata.read(hostOffset, piece, lengthBytes, done::complete);
                    } catch (RuntimeException | Error e) {
                        done.complete(BlockError.EIO);
                        throw e;
                    }
                });
        BlockError error = done.join();
        if (error == BlockError.EOVERFLOW) {
            throw new BlockException(
                    error,
                    "the check was given up, as more metadata changed meanwhile than are kept for"
                            + " it; try again when less is written");
        }
        if (!error.isOk()) {
            throw new IOException(
                    "hostOffset="
                            + hostOffset
                            + ", lengthBytes="
                            + lengthBytes
                            + ", "
                            + error.text());
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) throws IOException {
        throw new IOException("a view of an open image cannot be written");
    }

    @Override
    public void flush() throws IOException {
        throw new IOException("a view of an open image cannot be flushed");
    }

    @Override
    public void close() {}
}
