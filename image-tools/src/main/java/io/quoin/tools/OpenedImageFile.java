package io.quoin.tools;

import io.quoin.qcow2.file.ImageFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Queue;
import org.agrona.BufferUtil;

/**
 * The file of an image as the graph has it open, for a caller that waits: each call is a request on
 * its loop. Fails with a {@link io.quoin.block.BlockException} of the brick's, which names the
 * file.
 *
 * <p>Threading: thread-safe, but never used on a loop.
 */
final class OpenedImageFile implements ImageFile {
    /** As much as a check asks for at once. */
    private static final int PIECE_BYTES = 1 << 20;

    private static final int ALIGNMENT = 4096;

    private final OpenedImage image;
    private final ImageRequests requests;

    private final Queue<ByteBuffer> idle;

    /** The file is at least so large: only {@link #truncate} makes it smaller. */
    private volatile long knownSizeBytes;

    /**
     * @param image of the format raw; closed with this
     * @param idle memory for such files that no call uses; thread-safe
     */
    OpenedImageFile(OpenedImage image, Queue<ByteBuffer> idle) {
        this.image = image;
        this.idle = idle;
        this.requests = new ImageRequests(image, ImageFailure::ofFile);
    }

    @Override
    public String name() {
        return image.location().text();
    }

    @Override
    public long sizeBytes() {
        long sizeBytes = image.geometry().sizeBytes();
        knownSizeBytes = sizeBytes;
        return sizeBytes;
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) {
        long end = hostOffset + target.remaining();
        long size = end <= knownSizeBytes ? end : sizeBytes();
        if (target.isDirect()) {
            readDirect(hostOffset, target, size);
            return;
        }
        ByteBuffer piece = acquire();
        long at = hostOffset;
        while (target.hasRemaining()) {
            int length = Math.min(PIECE_BYTES, target.remaining());
            fill(at, piece, length, size);
            target.put(piece.duplicate().limit(length));
            at += length;
        }
        idle.add(piece);
    }

    private void readDirect(long hostOffset, ByteBuffer target, long sizeBytes) {
        long at = hostOffset;
        while (target.hasRemaining()) {
            int length = Math.min(PIECE_BYTES, target.remaining());
            fill(at, target.slice(), length, sizeBytes);
            target.position(target.position() + length);
            at += length;
        }
    }

    /** The first bytes of {@code memory}. */
    private void fill(long hostOffset, ByteBuffer memory, int lengthBytes, long sizeBytes) {
        int present = (int) Math.max(0, Math.min(lengthBytes, sizeBytes - hostOffset));
        if (present > 0) {
            requests.read(hostOffset, memory, present);
        }
        BlockMemory.zero(BufferUtil.address(memory) + present, lengthBytes - present);
    }

    @Override
    public void readEach(long[] hostOffsets, int from, int to, int pieceBytes, ByteBuffer target)
            throws IOException {
        long end = 0;
        for (int i = from; i < to; i++) {
            end = Math.max(end, hostOffsets[i] + pieceBytes);
        }
        int length = (to - from) * pieceBytes;
        boolean isWithin = end <= knownSizeBytes || end <= sizeBytes();
        if (to - from == 1 || length > PIECE_BYTES || !isWithin) {
            ImageFile.super.readEach(hostOffsets, from, to, pieceBytes, target);
            return;
        }
        ByteBuffer piece = acquire();
        requests.readEach(hostOffsets, from, to, pieceBytes, piece);
        target.put(piece.duplicate().limit(length));
        idle.add(piece);
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) {
        ByteBuffer piece = acquire();
        long at = hostOffset;
        while (source.hasRemaining()) {
            int length = Math.min(PIECE_BYTES, source.remaining());
            piece.put(0, source, source.position(), length);
            source.position(source.position() + length);
            requests.write(at, piece, 0, length);
            at += length;
        }
        idle.add(piece);
    }

    /** One that fails with a request in flight is never used again. */
    private ByteBuffer acquire() {
        ByteBuffer piece = idle.poll();
        return piece == null ? BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT) : piece;
    }

    @Override
    public void flush() {
        requests.flush();
    }

    @Override
    public void truncate(long sizeBytes) {
        if (sizeBytes < sizeBytes()) {
            knownSizeBytes = sizeBytes;
            image.callToTheEnd(file -> file.shrink(sizeBytes));
        } else {
            flush();
        }
    }

    @Override
    public void close() {
        image.close();
    }
}
