package io.quoin.nbd;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.block.MemoryLease;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A disk in memory that knows its holes, in blocks of 4 KiB. Requests end at once, or later and in
 * another order, or when a test lets them.
 *
 * <p>Threading: confined(loop); counters and the switches are thread-safe.
 */
final class MemoryDisk implements BlockDevice {
    private static final int BLOCK = 4096;

    /** When requests end. */
    enum Pace {
        /** Before submit returns. */
        AT_ONCE,
        /** On the loop, later, in random order. */
        REORDERED,
        /** When {@link #letGo} is called. */
        HELD,
        /**
         * At once, but what is written is read only when {@link #letGo} is called, by its lease.
         */
        KEPT
    }

    private final Loop loop;
    private final UnsafeBuffer memory;
    private final BitSet written = new BitSet();
    private final Capabilities capabilities;
    private final Random random;
    private final List<Runnable> later = new ArrayList<>();
    private final Map<IoOp, BlockError> failures = new EnumMap<>(IoOp.class);
    final Map<IoOp, AtomicInteger> counts = new EnumMap<>(IoOp.class);
    final ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();
    private final Geometry geometry;
    private byte[] stable;
    private volatile Pace pace = Pace.AT_ONCE;
    private volatile boolean isLogging = true;

    /** Run on the loop for each request. */
    volatile Runnable whenSubmitted = () -> {};

    MemoryDisk(Loop loop, int sizeBytes, Capabilities capabilities, long seed) {
        this(
                loop,
                Geometry.ofSize(sizeBytes).blockSizes(1, BLOCK).transferMax(1 << 20),
                capabilities,
                seed);
    }

    MemoryDisk(Loop loop, Geometry geometry, Capabilities capabilities, long seed) {
        this.loop = loop;
        this.geometry = geometry;
        this.memory = new UnsafeBuffer(ByteBuffer.allocateDirect((int) geometry.sizeBytes()));
        this.capabilities = capabilities;
        this.random = new Random(seed);
        this.stable = new byte[0];
        for (IoOp op : IoOp.values()) {
            counts.put(op, new AtomicInteger());
        }
    }

    static Capabilities everything() {
        return Capabilities.DISK;
    }

    void pace(Pace newPace) {
        pace = newPace;
    }

    void quiet() {
        isLogging = false;
    }

    /** From now on requests of {@code op} end with {@code error}; OK ends that. */
    void fail(IoOp op, BlockError error) {
        synchronized (failures) {
            failures.put(op, error);
        }
    }

    /** Ends everything that is held, on the loop. */
    void letGo() {
        loop.execute(this::runLater);
    }

    byte[] content(int offset, int length) {
        byte[] bytes = new byte[length];
        memory.getBytes(offset, bytes);
        return bytes;
    }

    /** What would be left after a crash; empty before the first flush. */
    synchronized byte[] stable() {
        return stable;
    }

    int count(IoOp op) {
        return counts.get(op).get();
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
        if (!loop.inLoop()) {
            throw new AssertionError("request outside of the loop");
        }
        whenSubmitted.run();
        switch (pace) {
            case AT_ONCE -> run(request);
            case REORDERED -> {
                later.add(() -> run(request));
                loop.execute(this::runLater);
            }
            case HELD -> later.add(() -> run(request));
            case KEPT -> keep(request);
        }
    }

    /** As a replica does that is slower than the others. */
    private void keep(IoRequest request) {
        MemoryLease lease = request.memory().lease();
        if (request.op() != IoOp.WRITE || lease == null) {
            run(request);
            return;
        }
        lease.retain();
        IoVector payload = new IoVector();
        payload.addSlice(request.memory(), 0, request.lengthBytes());
        long address = memory.addressOffset() + request.offsetBytes();
        int first = (int) request.offsetBytes() / BLOCK;
        int last = ((int) request.endBytes() + BLOCK - 1) / BLOCK;
        later.add(
                () -> {
                    payload.copyTo(0, address, payload.lengthBytes());
                    written.set(first, last);
                    lease.release();
                });
        request.complete(BlockError.OK);
    }

    private void runLater() {
        while (!later.isEmpty()) {
            later.remove(random.nextInt(later.size())).run();
        }
    }

    private void run(IoRequest request) {
        IoOp op = request.op();
        counts.get(op).incrementAndGet();
        if (isLogging) {
            log.add(request.toString());
        }
        BlockError failure;
        synchronized (failures) {
            failure = failures.getOrDefault(op, BlockError.OK);
        }
        if (failure.isOk()) {
            failure = carryOut(request);
        }
        request.complete(failure);
    }

    private BlockError carryOut(IoRequest request) {
        int offset = (int) request.offsetBytes();
        int length = (int) request.lengthBytes();
        long address = memory.addressOffset() + offset;
        switch (request.op()) {
            case READ -> read(request, address, offset, length);
            case WRITE -> {
                request.memory().copyTo(0, address, length);
                written.set(offset / BLOCK, (offset + length + BLOCK - 1) / BLOCK);
            }
            case WRITE_ZEROES, DISCARD -> {
                UnsafeApi.setMemory(address, length, (byte) 0);
                int first = (offset + BLOCK - 1) / BLOCK;
                int last = (offset + length) / BLOCK;
                boolean unmaps = request.op() == IoOp.DISCARD || request.has(IoFlags.MAY_UNMAP);
                if (last > first && unmaps) {
                    written.clear(first, last);
                } else {
                    written.set(offset / BLOCK, (offset + length + BLOCK - 1) / BLOCK);
                }
            }
            case BLOCK_STATUS -> describe(request.extents(), offset, length, request.flags());
            case FLUSH -> saveStable();
            case CACHE -> {}
        }
        if (request.has(IoFlags.FUA)) {
            saveStable();
        }
        return BlockError.OK;
    }

    private synchronized void saveStable() {
        if (geometry.sizeBytes() <= 16 << 20) {
            stable = content(0, (int) geometry.sizeBytes());
        }
    }

    private void read(IoRequest request, long address, int offset, int length) {
        if (request.has(IoFlags.SPARSE) && !isAllWritten(offset, length)) {
            ExtentList extents = request.extents();
            describe(extents, offset, length, 0);
            // What is not filled holds rubbish, as it may.
            for (long at = 0, i = 0; i < extents.count(); i++) {
                long part = extents.extentLengthBytes((int) i);
                if ((extents.status((int) i) & BlockStatus.ZERO) == 0) {
                    request.memory().copyFrom(at, address + at, Math.min(part, length - at));
                }
                at += part;
            }
            return;
        }
        request.memory().copyFrom(0, address, length);
    }

    private boolean isAllWritten(int offset, int length) {
        for (int block = offset / BLOCK; block <= (offset + length - 1) / BLOCK; block++) {
            if (!written.get(block)) {
                return false;
            }
        }
        return true;
    }

    private void describe(ExtentList extents, int offset, int length, int flags) {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            boolean data = written.get(at / BLOCK);
            int next = data ? written.nextClearBit(at / BLOCK) : written.nextSetBit(at / BLOCK);
            int stop = next < 0 ? end : (int) Math.min(end, (long) next * BLOCK);
            int status = data ? BlockStatus.DATA : BlockStatus.HOLE | BlockStatus.ZERO;
            if (!extents.add(stop - at, status) || (flags & IoFlags.REQ_ONE) != 0) {
                return;
            }
            at = stop;
        }
    }
}
