package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.replicate.Payload;
import io.quoin.replicate.PayloadPool;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads and writes of the files below, in direct memory that is used again. Each ends in a task of
 * its own, never within the call.
 *
 * <p>Threading: confined(loop).
 */
final class FileIo {
    private final Loop loop;
    private final PayloadPool pool = PayloadPool.SHARED;

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

    FileIo(Loop loop) {
        this.loop = loop;
    }

    /** What a read of a payload ended with. */
    interface PayloadReader {
        /** The read has ended; the payload, of any bytes unless {@code error} is OK, is its own. */
        void read(BlockError error, Payload payload);
    }

    /** Reads; what lies past the end of the file is zeros. */
    void read(XlatorFile file, long offsetBytes, int lengthBytes, Reader done) {
        readPayload(
                file,
                offsetBytes,
                lengthBytes,
                (error, payload) -> {
                    done.read(error, payload.buffer());
                    payload.release();
                });
    }

    /** As {@link #read}, into memory that goes to {@code done}. */
    void readPayload(XlatorFile file, long offsetBytes, int lengthBytes, PayloadReader done) {
        ByteBuffer memory = pool.acquire(lengthBytes);
        UnsafeBuffer buffer = new UnsafeBuffer(memory);
        long there = Math.max(0, file.geometry().sizeBytes() - offsetBytes);
        int length = (int) Math.min(lengthBytes, there);
        buffer.setMemory(length, lengthBytes - length, (byte) 0);
        Consumer<BlockError> ended = error -> done.read(error, Payload.of(memory, pool));
        if (length == 0) {
            loop.execute(() -> ended.accept(BlockError.OK));
            return;
        }
        IoRequest request = loop.requests().acquire().read(offsetBytes, length, IoFlags.NONE);
        request.memory().add(buffer, 0, length);
        submit(file, request, ended);
    }

    /** Writes; {@code data} may change once the call has returned. */
    void write(
            XlatorFile file, long offsetBytes, byte[] data, int flags, Consumer<BlockError> done) {
        ByteBuffer memory = pool.acquire(data.length);
        memory.put(data).flip();
        write(
                file,
                offsetBytes,
                memory,
                flags,
                error -> {
                    pool.release(memory);
                    done.accept(error);
                });
    }

    /** Writes a payload, which stays as it is until the end. */
    void write(
            XlatorFile file, long offsetBytes, Payload data, int flags, Consumer<BlockError> done) {
        if (data.isDirect()) {
            write(file, offsetBytes, data.buffer(), flags, done);
        } else {
            write(file, offsetBytes, data.bytes(), flags, done);
        }
    }

    private void write(
            XlatorFile file,
            long offsetBytes,
            ByteBuffer memory,
            int flags,
            Consumer<BlockError> done) {
        int length = memory.limit();
        if (length == 0) {
            loop.execute(() -> done.accept(BlockError.OK));
            return;
        }
        IoRequest request = loop.requests().acquire().write(offsetBytes, length, flags);
        request.memory().add(new UnsafeBuffer(memory), 0, length);
        submit(
                file,
                request,
                error -> {
                    try {
                        done.accept(error);
                    } finally {
                        // The request has only its address: it must not be collected before.
                        Reference.reachabilityFence(memory);
                    }
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
}
