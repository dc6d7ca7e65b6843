package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/**
 * Writes the metadata of a new image and flushes it; with a piece of memory that does not depend on
 * the size of the image.
 *
 * <p>Threading: confined(loop).
 */
final class MetadataWriter extends Steps {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;

    private final ImageIo io;
    private final NewImage image;
    private final Outcome then;
    private final ByteBuffer piece;
    private long hostOffset;
    private boolean flushed;

    MetadataWriter(ImageIo io, NewImage image, Outcome then) {
        this.io = io;
        this.image = image;
        this.then = then;
        int wanted = (int) Math.min(image.metadataBytes(), PIECE_BYTES);
        this.piece =
                BufferUtil.allocateDirectAligned(
                        Math.max(wanted, image.clusterSizeBytes()), ALIGNMENT);
    }

    @Override
    protected boolean step() {
        if (flushed) {
            then.done(BlockError.OK);
        } else if (hostOffset == image.metadataBytes()) {
            flushed = true;
            io.flush(this::resumeWith);
        } else {
            int length = (int) Math.min(piece.capacity(), image.metadataBytes() - hostOffset);
            encode(length);
            long start = hostOffset;
            hostOffset += length;
            io.writeNew(start, BufferUtil.address(piece), length, this::resumeWith);
        }
        return false;
    }

    private void encode(int length) {
        int clusterSize = image.clusterSizeBytes();
        UnsafeApi.setMemory(BufferUtil.address(piece), length, (byte) 0);
        for (int at = 0; at < length; at += clusterSize) {
            image.encode((hostOffset + at) / clusterSize, piece.slice(at, clusterSize));
        }
    }

    private void resumeWith(BlockError error) {
        if (error.isOk()) {
            resume();
        } else {
            fail(error);
        }
    }

    @Override
    public void fail(BlockError error) {
        then.done(error);
    }
}
