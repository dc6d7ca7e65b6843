package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.agrona.BufferUtil;

/**
 * A file of a loop for a caller on another thread, which waits: each call is a request on the loop.
 * Closing it leaves the file open.
 *
 * <p>Threading: thread-safe, but never used on the loop itself.
 */
final class LoopImageFile implements ImageFile {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;

    private final XlatorFile file;
    private final Loop loop;
    private final ByteBuffer piece = BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT);

    LoopImageFile(XlatorFile file, Loop loop) {
        this.file = file;
        this.loop = loop;
    }

    @Override
    public String name() {
        return file.fileName();
    }

    @Override
    public long sizeBytes() throws IOException {
        CompletableFuture<Long> size = new CompletableFuture<>();
        loop.execute(() -> size.complete(file.geometry().sizeBytes()));
        return size.join();
    }

    @Override
    public synchronized void read(long hostOffset, ByteBuffer target) throws IOException {
        long size = sizeBytes();
        long at = hostOffset;
        while (target.hasRemaining()) {
            int length = Math.min(PIECE_BYTES, target.remaining());
            int present = (int) Math.max(0, Math.min(length, size - at));
            if (present > 0) {
                transfer(IoOp.READ, at, present);
            }
            for (int i = present; i < length; i++) {
                piece.put(i, (byte) 0);
            }
            target.put(piece.duplicate().position(0).limit(length));
            at += length;
        }
    }

    @Override
    public synchronized void write(long hostOffset, ByteBuffer source) throws IOException {
        long at = hostOffset;
        while (source.hasRemaining()) {
            int length = Math.min(PIECE_BYTES, source.remaining());
            piece.put(0, source, source.position(), length);
            source.position(source.position() + length);
            transfer(IoOp.WRITE, at, length);
            at += length;
        }
    }

    @Override
    public void flush() throws IOException {
        transfer(IoOp.FLUSH, 0, 0);
    }

    private void transfer(IoOp op, long hostOffset, int lengthBytes) throws IOException {
        CompletableFuture<BlockError> done = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        submit(op, hostOffset, lengthBytes, done);
                    } catch (RuntimeException | Error e) {
                        done.complete(BlockError.EIO);
                        throw e;
                    }
                });
        BlockError error = done.join();
        if (!error.isOk()) {
            throw new IOException(
                    op
                            + " failed: hostOffset="
                            + hostOffset
                            + ", lengthBytes="
                            + lengthBytes
                            + ", "
                            + error.text());
        }
    }

    private void submit(
            IoOp op, long hostOffset, int lengthBytes, CompletableFuture<BlockError> done) {
        IoRequest request =
                loop.requests().acquire().prepare(op, hostOffset, lengthBytes, IoFlags.NONE);
        if (lengthBytes > 0) {
            request.memory().add(BufferUtil.address(piece), lengthBytes);
        }
        request.push(
                (ended, error) -> {
                    loop.requests().release(ended);
                    done.complete(error);
                });
        file.submit(request);
    }

    @Override
    public void close() {}
}
