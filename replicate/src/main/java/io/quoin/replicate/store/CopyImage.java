package io.quoin.replicate.store;

import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.Geometry;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.UUID;

/**
 * A brick's copy of a file, read as it lies there, and checked where checksums bind.
 *
 * <p>Threading: confined to its thread; blocks.
 */
public final class CopyImage implements AutoCloseable {
    private final Path path;
    private final Geometry geometry;
    private final BitSet active;
    private final Checksums checksums;
    private final FileChannel data;
    private final FileChannel sums;
    private final long sizeBytes;

    CopyImage(Path folder, UUID file, Geometry geometry, BitSet active) {
        this.path = folder.resolve(StoredFile.dataName(file));
        this.geometry = geometry;
        this.active = active;
        this.checksums = new Checksums(geometry.blockBytes());
        this.data = open(path);
        try {
            this.sums = open(folder.resolve(StoredFile.checksumName(file)));
            this.sizeBytes = data.size();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static FileChannel open(Path path) {
        try {
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw Reason.failure("cannot open the copy", NameText.of(path), e);
        }
    }

    private BlockException failure(IOException e) {
        return Reason.failure("cannot read the copy", NameText.of(path), e);
    }

    /** Of the copy. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * Reads whole blocks; zeros past the end.
     *
     * @param offsetBytes a multiple of 4096, as the bytes that remain in {@code into} are
     * @return where the first block lies that is not what its checksum says; -1 if none is
     */
    public long read(long offsetBytes, ByteBuffer into) {
        int start = into.position();
        int length = into.remaining();
        fill(data, offsetBytes, into);
        int block = geometry.blockBytes();
        ByteBuffer stored = ByteBuffer.allocate(length / block * Checksums.BYTES);
        fill(sums, offsetBytes / block * Checksums.BYTES, stored);
        stored.flip();
        for (int at = 0; at < length; at += block) {
            int expected = stored.getInt();
            boolean isBound = !active.get(geometry.region(offsetBytes + at));
            if (isBound
                    && offsetBytes + at < sizeBytes
                    && checksums.of(into, start + at) != expected) {
                return offsetBytes + at;
            }
        }
        return -1;
    }

    private void fill(FileChannel from, long offsetBytes, ByteBuffer into) {
        long at = offsetBytes;
        try {
            while (into.hasRemaining()) {
                int count = from.read(into, at);
                if (count < 0) {
                    break;
                }
                at += count;
            }
        } catch (IOException e) {
            throw failure(e);
        }
        while (into.hasRemaining()) {
            into.put((byte) 0);
        }
    }

    @Override
    public void close() {
        try {
            data.close();
            sums.close();
        } catch (IOException e) {
            throw failure(e);
        }
    }
}
