package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads and writes of the files below, between arrays and direct memory that is used again. Each
 * ends in a task of its own, never within the call.
 *
 * <p>Threading: confined(loop).
 */
final class FileIo {
    /** Larger memory is not kept. */
    private static final int KEPT_BYTES = 1 << 20;

    private static final int KEPT_MAX = 16;
    private static final int SMALL_BYTES = 16 << 10;

    private final Loop loop;
    private final Deque<Memory> large = new ArrayDeque<>();
    private final Deque<Memory> small = new ArrayDeque<>();

    /** What a read ended with. */
    interface Reader {
        /**
         * The read has ended.
         *
         * @param bytes what was read, from its position to its limit, if {@code error} is OK; it is
         *     used again afterwards
         */
        void read(BlockError error, ByteBuffer bytes);
    }

    private record Memory(ByteBuffer bytes, UnsafeBuffer buffer) {
        static Memory ofBytes(int size) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(size);
            return new Memory(bytes, new UnsafeBuffer(bytes));
        }
    }

    FileIo(Loop loop) {
        this.loop = loop;
    }

    /** Reads; what lies past the end of the file is zeros. */
    void read(XlatorFile file, long offsetBytes, int lengthBytes, Reader done) {
        Memory memory = acquire(lengthBytes);
        long there = Math.max(0, file.geometry().sizeBytes() - offsetBytes);
        int length = (int) Math.min(lengthBytes, there);
        memory.buffer.setMemory(length, lengthBytes - length, (byte) 0);
        Consumer<BlockError> ended =
                error -> {
                    done.read(error, memory.bytes.limit(lengthBytes).position(0));
                    release(memory);
                };
        if (length == 0) {
            loop.execute(() -> ended.accept(BlockError.OK));
            return;
        }
        IoRequest request = loop.requests().acquire().read(offsetBytes, length, IoFlags.NONE);
        request.memory().add(memory.buffer, 0, length);
        submit(file, request, ended);
    }

    /** Writes; {@code data} may change once the call has returned. */
    void write(
            XlatorFile file, long offsetBytes, byte[] data, int flags, Consumer<BlockError> done) {
        if (data.length == 0) {
            loop.execute(() -> done.accept(BlockError.OK));
            return;
        }
        Memory memory = acquire(data.length);
        memory.buffer.putBytes(0, data);
        IoRequest request = loop.requests().acquire().write(offsetBytes, data.length, flags);
        request.memory().add(memory.buffer, 0, data.length);
        submit(
                file,
                request,
                error -> {
                    release(memory);
                    done.accept(error);
                });
    }

    void writeZeroes(
            XlatorFile file,
            long offsetBytes,
            long lengthBytes,
            int flags,
            Consumer<BlockError> d) {
        submit(
                file,
                loop.requests()
                        .acquire()
                        .prepare(IoOp.WRITE_ZEROES, offsetBytes, lengthBytes, flags),
                d);
    }

    void flush(XlatorFile file, Consumer<BlockError> done) {
        submit(file, loop.requests().acquire().flush(), done);
    }

    /** Writes durably: in one request where the file can do that. */
    void writeDurably(XlatorFile file, long offsetBytes, byte[] data, Consumer<BlockError> done) {
        if (file.capabilities().canFua()) {
            write(file, offsetBytes, data, IoFlags.FUA, done);
        } else {
            write(
                    file,
                    offsetBytes,
                    data,
                    IoFlags.NONE,
                    error -> {
                        if (error.isOk()) {
                            flush(file, done);
                        } else {
                            done.accept(error);
                        }
                    });
        }
    }

    private void submit(XlatorFile file, IoRequest request, Consumer<BlockError> done) {
        request.push(
                (completed, error) -> {
                    loop.requests().release(completed);
                    loop.execute(() -> done.accept(error));
                });
        file.submit(request);
    }

    private Memory acquire(int lengthBytes) {
        if (lengthBytes > KEPT_BYTES) {
            return Memory.ofBytes(lengthBytes);
        }
        boolean isSmall = lengthBytes <= SMALL_BYTES;
        Memory kept = (isSmall ? small : large).pollLast();
        return kept == null ? Memory.ofBytes(isSmall ? SMALL_BYTES : KEPT_BYTES) : kept;
    }

    private void release(Memory memory) {
        memory.bytes.clear();
        int size = memory.bytes.capacity();
        Deque<Memory> kept = size == SMALL_BYTES ? small : large;
        if (size <= KEPT_BYTES && kept.size() < KEPT_MAX) {
            kept.addLast(memory);
        }
    }
}
