package io.quoin.tools;

import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.agrona.BufferUtil;

/**
 * Works on pieces of an image side by side, a bounded number at a time. Each piece is worked on by
 * one thread, which waits for its requests, with memory of its own.
 *
 * <p>Threading: confined to the thread of the tool.
 */
final class Pieces implements AutoCloseable {
    /** Pieces end at multiples of this, so that no two of them touch one block. */
    static final int PIECE_BYTES = 1 << 20;

    private static final int AT_ONCE = 8;
    private static final int ALIGNMENT = 4096;

    /** What is done with a piece. */
    interface Work {
        /**
         * Does it.
         *
         * @return how many bytes it has written
         */
        long on(long guestOffset, int lengthBytes, Memory memory);
    }

    /** Memory for the content of a piece, and of what it is compared with. */
    record Memory(ByteBuffer first, ByteBuffer second) {
        private static Memory create() {
            return new Memory(
                    BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT),
                    BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT));
        }
    }

    private final ProgressListener progress;
    private final long totalBytes;
    private final ExecutorService threads =
            Executors.newFixedThreadPool(
                    AT_ONCE,
                    task -> {
                        Thread thread = new Thread(task, "quoin-piece");
                        thread.setDaemon(true);
                        return thread;
                    });
    private final ArrayDeque<Memory> idle = new ArrayDeque<>();
    private final ArrayDeque<Piece> underWay = new ArrayDeque<>();
    private long writtenBytes;

    Pieces(ProgressListener progress, long totalBytes) {
        this.progress = progress;
        this.totalBytes = totalBytes;
    }

    private record Piece(CompletableFuture<Long> written, Memory memory, long endOffset) {}

    /**
     * Has {@code work} done with the range, in pieces; comes back when all have begun.
     *
     * @throws BlockException what failed first of this range and those before
     */
    void add(long start, long end, Work work) {
        for (long at = start; at < end; ) {
            long pieceEnd = Math.min(end, (at / PIECE_BYTES + 1) * PIECE_BYTES);
            begin(at, (int) (pieceEnd - at), work);
            at = pieceEnd;
        }
    }

    private void begin(long at, int lengthBytes, Work work) {
        if (underWay.size() == AT_ONCE) {
            await(underWay.remove());
        }
        Memory memory = idle.poll();
        if (memory == null) {
            memory = Memory.create();
        }
        Memory own = memory;
        CompletableFuture<Long> written =
                CompletableFuture.supplyAsync(() -> work.on(at, lengthBytes, own), threads);
        underWay.add(new Piece(written, own, at + lengthBytes));
    }

    private void await(Piece piece) {
        try {
            writtenBytes += piece.written.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof BlockException cause ? cause : e;
        }
        idle.add(piece.memory);
        progress.progress(piece.endOffset, totalBytes);
    }

    /** Nothing is to be done before {@code guestOffset} but what is under way. */
    void passed(long guestOffset) {
        if (underWay.isEmpty()) {
            progress.progress(guestOffset, totalBytes);
        }
    }

    /** Waits for all of them; the bytes that all have written. */
    long await() {
        while (!underWay.isEmpty()) {
            await(underWay.remove());
        }
        return writtenBytes;
    }

    /** Whatever is under way ends before. */
    @Override
    public void close() {
        List<Piece> left = new ArrayList<>(underWay);
        underWay.clear();
        for (Piece piece : left) {
            piece.written.handle((written, failure) -> null).join();
        }
        threads.shutdown();
    }
}
