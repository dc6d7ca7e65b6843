package io.quoin.testkit;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.sim.VirtualLoop;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Submits requests to a device on a virtual loop and drives the loop until they have ended: a
 * blocking face for tests. It checks that every completion comes once, and on the loop.
 *
 * <p>Threading: confined to the test.
 */
public final class FileDriver {
    private static final int EXTENTS_MAX = 1 << 20;

    private final BlockDevice device;
    private final VirtualLoop loop;

    public FileDriver(BlockDevice device, VirtualLoop loop) {
        this.device = device;
        this.loop = loop;
    }

    public BlockDevice device() {
        return device;
    }

    /** Starts {@code request}, prepared and with its memory; the loop is not driven. */
    public Pending submit(IoRequest request) {
        Pending pending = new Pending(request, loop);
        request.push(pending::onComplete);
        loop.run(() -> device.submit(request));
        return pending;
    }

    /** Starts {@code request} and drives the loop until it has ended. */
    public BlockError perform(IoRequest request) {
        return await(submit(request));
    }

    /** Drives the loop until {@code pending} has ended. */
    public BlockError await(Pending pending) {
        loop.group().runUntil(pending::isDone);
        return pending.error();
    }

    /** Starts a WRITE of {@code data}, copied to direct memory. */
    public Pending startWrite(long offsetBytes, byte[] data, int flags) {
        UnsafeBuffer memory = direct(Math.max(1, data.length));
        memory.putBytes(0, data);
        IoRequest request = new IoRequest().write(offsetBytes, data.length, flags);
        if (data.length > 0) {
            request.memory().add(memory, 0, data.length);
        }
        Pending pending = submit(request);
        pending.memory = memory;
        return pending;
    }

    /** Starts a READ; {@link Pending#data} has what it read. */
    public Pending startRead(long offsetBytes, int lengthBytes) {
        UnsafeBuffer memory = direct(Math.max(1, lengthBytes));
        memory.setMemory(0, memory.capacity(), (byte) 0xEE);
        IoRequest request = new IoRequest().read(offsetBytes, lengthBytes, IoFlags.NONE);
        if (lengthBytes > 0) {
            request.memory().add(memory, 0, lengthBytes);
        }
        Pending pending = submit(request);
        pending.memory = memory;
        return pending;
    }

    /** Starts an operation without memory. */
    public Pending start(IoOp op, long offsetBytes, long lengthBytes, int flags) {
        return submit(new IoRequest().prepare(op, offsetBytes, lengthBytes, flags));
    }

    public BlockError write(long offsetBytes, byte[] data, int flags) {
        return await(startWrite(offsetBytes, data, flags));
    }

    /** Writes, and fails the test unless that went well. */
    public void write(long offsetBytes, byte[] data) {
        expectOk("write", write(offsetBytes, data, IoFlags.NONE));
    }

    /** Reads, and fails the test unless that went well. */
    public byte[] read(long offsetBytes, int lengthBytes) {
        Pending pending = startRead(offsetBytes, lengthBytes);
        expectOk("read", await(pending));
        return pending.data();
    }

    public BlockError zero(long offsetBytes, long lengthBytes, int flags) {
        return await(start(IoOp.WRITE_ZEROES, offsetBytes, lengthBytes, flags));
    }

    public BlockError discard(long offsetBytes, long lengthBytes) {
        return await(start(IoOp.DISCARD, offsetBytes, lengthBytes, IoFlags.NONE));
    }

    public BlockError flush() {
        return await(start(IoOp.FLUSH, 0, 0, IoFlags.NONE));
    }

    /** The extents of a range; fails the test if there are none. */
    public ExtentList status(long offsetBytes, long lengthBytes, int flags) {
        ExtentList extents = new ExtentList(EXTENTS_MAX);
        IoRequest request =
                new IoRequest()
                        .prepare(IoOp.BLOCK_STATUS, offsetBytes, lengthBytes, flags)
                        .extents(extents);
        expectOk("block status", perform(request));
        return extents;
    }

    /** Direct memory, zeroed. */
    public static UnsafeBuffer direct(int lengthBytes) {
        return new UnsafeBuffer(ByteBuffer.allocateDirect(lengthBytes));
    }

    private static void expectOk(String what, BlockError error) {
        if (!error.isOk()) {
            throw new AssertionError(what + " failed: " + error);
        }
    }

    /**
     * A request under way.
     *
     * <p>Threading: confined to the test.
     */
    public static final class Pending {
        private final IoRequest request;
        private final VirtualLoop loop;
        private @Nullable UnsafeBuffer memory;
        private @Nullable BlockError error;

        private Pending(IoRequest request, VirtualLoop loop) {
            this.request = request;
            this.loop = loop;
        }

        private void onComplete(IoRequest completed, BlockError newError) {
            if (completed != request || error != null) {
                throw new AssertionError("completed twice, or another request: " + completed);
            }
            if (!loop.inLoop()) {
                throw new AssertionError("completed outside of its loop: " + completed);
            }
            error = newError;
        }

        public IoRequest request() {
            return request;
        }

        public boolean isDone() {
            return error != null;
        }

        /** How it ended; fails the test if it has not. */
        public BlockError error() {
            BlockError result = error;
            if (result == null) {
                throw new AssertionError("not completed: " + request);
            }
            return result;
        }

        /** What is in the request's memory. */
        public byte[] data() {
            UnsafeBuffer buffer = memory;
            if (buffer == null) {
                throw new AssertionError("request without memory: " + request);
            }
            byte[] data = new byte[(int) request.lengthBytes()];
            buffer.getBytes(0, data);
            return data;
        }
    }
}
