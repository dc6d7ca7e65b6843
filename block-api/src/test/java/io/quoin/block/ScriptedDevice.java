package io.quoin.block;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A device in memory whose test decides when and how its requests end.
 *
 * <p>Threading: confined to its owner.
 */
public final class ScriptedDevice implements BlockDevice {
    /** When requests end. */
    public enum Timing {
        /** Inside submit. */
        AT_ONCE,
        /** As a task of the executor. */
        LATER,
        /** When the test says so. */
        HELD
    }

    /** What the device was asked, as it was when it was submitted. */
    public record Seen(IoOp op, long offsetBytes, long lengthBytes, int flags, int segments) {
        @Override
        public String toString() {
            String range = op == IoOp.FLUSH ? "" : " " + offsetBytes + "+" + lengthBytes;
            return op + range + (flags == 0 ? "" : " " + IoFlags.toString(flags));
        }
    }

    private final UnsafeBuffer store;
    private final Timing timing;
    private final @Nullable Executor executor;
    private Geometry geometry;
    private Capabilities capabilities = Capabilities.DISK;
    private int extentBytes;
    private boolean isRecording = true;
    private final List<Seen> seen = new ArrayList<>();
    private final List<IoRequest> held = new ArrayList<>();
    private BlockError nextError = BlockError.OK;

    public ScriptedDevice(int sizeBytes, Timing timing, @Nullable Executor executor) {
        this.store = new UnsafeBuffer(BufferUtil.allocateDirectAligned(sizeBytes, 4096));
        this.geometry = Geometry.ofSize(sizeBytes).blockSizes(1, 4096).transferMax(1 << 20);
        this.timing = timing;
        this.executor = executor;
    }

    public void geometry(Geometry newGeometry) {
        geometry = newGeometry;
    }

    public void capabilities(Capabilities newCapabilities) {
        capabilities = newCapabilities;
    }

    /** BLOCK_STATUS says so many bytes of data, then a hole of so many, and so on. */
    public void extentBytes(int newExtentBytes) {
        extentBytes = newExtentBytes;
    }

    public void recording(boolean isOn) {
        isRecording = isOn;
    }

    /** The next request that is carried out ends in this. */
    public void failNext(BlockError error) {
        nextError = error;
    }

    public List<Seen> seen() {
        return seen;
    }

    public List<IoRequest> held() {
        return held;
    }

    public byte[] content(int offsetBytes, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        store.getBytes(offsetBytes, bytes);
        return bytes;
    }

    public UnsafeBuffer store() {
        return store;
    }

    @Override
    public Geometry geometry() {
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void submit(IoRequest request) {
        if (isRecording) {
            seen.add(
                    new Seen(
                            request.op(),
                            request.offsetBytes(),
                            request.lengthBytes(),
                            request.flags(),
                            request.memory().count()));
        }
        switch (timing) {
            case AT_ONCE -> carryOut(request);
            case LATER -> executor.execute(() -> carryOut(request));
            case HELD -> held.add(request);
        }
    }

    /** Carries out and ends the held request at {@code index}. */
    public void end(int index) {
        carryOut(held.remove(index));
    }

    public void endAll() {
        while (!held.isEmpty()) {
            end(0);
        }
    }

    private void carryOut(IoRequest request) {
        BlockError error = nextError;
        nextError = BlockError.OK;
        if (error.isOk()) {
            int offset = (int) request.offsetBytes();
            int length = (int) request.lengthBytes();
            long address = store.addressOffset() + offset;
            switch (request.op()) {
                case READ -> request.memory().copyFrom(0, address, length);
                case WRITE -> request.memory().copyTo(0, address, length);
                case WRITE_ZEROES, DISCARD -> UnsafeApi.setMemory(address, length, (byte) 0);
                case BLOCK_STATUS -> status(request);
                case FLUSH, CACHE -> {}
            }
        }
        request.complete(error);
    }

    private void status(IoRequest request) {
        long position = request.offsetBytes();
        while (position < request.endBytes()) {
            long end = extentBytes == 0 ? request.endBytes() : nextMultiple(position);
            boolean isHole = extentBytes != 0 && position / extentBytes % 2 == 1;
            int status = isHole ? BlockStatus.HOLE | BlockStatus.ZERO : BlockStatus.DATA;
            if (!request.extents().add(Math.min(end, request.endBytes()) - position, status)) {
                return;
            }
            position = end;
        }
    }

    private long nextMultiple(long position) {
        return (position / extentBytes + 1) * extentBytes;
    }
}
