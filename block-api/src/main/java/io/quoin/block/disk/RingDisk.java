package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.ring.DiskRing;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Disk} over a {@link DiskRing}: checks, and makes requests of operations.
 *
 * <p>Where the ring has no room, a caller waits; on the owner, which must not wait, its requests
 * wait instead. Those are bounded by what a program chains to its futures.
 *
 * <p>Threading: thread-safe.
 */
final class RingDisk implements Disk {
    private static final BouncePool BOUNCE = new BouncePool();
    private static final int REQUESTS_KEPT = 1024;
    private static final long CLOSED_BIT = 1L << 63;

    private final @Nullable Volume volume;
    private final String name;
    private final DiskRing ring;
    private final Supplier<CompletionStage<Void>> release;
    private final Capabilities capabilities;
    private final int transferBytesMax;
    private final ManyToManyConcurrentArrayQueue<IoRequest> idle =
            new ManyToManyConcurrentArrayQueue<>(REQUESTS_KEPT);

    /** Requests of the owner's thread that found no room; confined to it. */
    private final ArrayDeque<IoRequest> refused = new ArrayDeque<>();

    /** Operations in flight, and whether new ones are refused. */
    private final AtomicLong state = new AtomicLong();

    private final CompletableFuture<Void> isQuiet = new CompletableFuture<>();

    RingDisk(
            @Nullable Volume volume,
            String name,
            DiskRing ring,
            Supplier<CompletionStage<Void>> release) {
        this.volume = volume;
        this.name = name;
        this.ring = ring;
        this.release = release;
        this.capabilities = ring.device().capabilities();
        this.transferBytesMax = ring.device().geometry().transferBytesMax();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public @Nullable Volume volume() {
        return volume;
    }

    @Override
    public Geometry geometry() {
        // Immutable, so that it may be looked at from here; a resize is seen soon.
        return ring.device().geometry();
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public CompletableFuture<Void> readAsync(long offsetBytes, ByteBuffer target) {
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("a read-only buffer can't be read into");
        }
        return start(DiskOperation.of(this, IoOp.READ, offsetBytes, target, IoFlags.NONE));
    }

    @Override
    public CompletableFuture<Void> readAsync(
            long offsetBytes, MutableDirectBuffer target, int index, int lengthBytes) {
        return start(
                DiskOperation.of(
                        this, IoOp.READ, offsetBytes, target, index, lengthBytes, IoFlags.NONE));
    }

    @Override
    public CompletableFuture<Void> writeAsync(long offsetBytes, ByteBuffer source, int flags) {
        int deviceFlags = deviceFlags(flags);
        DiskOperation write = DiskOperation.of(this, IoOp.WRITE, offsetBytes, source, deviceFlags);
        return durably(flags, deviceFlags, start(write));
    }

    @Override
    public CompletableFuture<Void> writeAsync(
            long offsetBytes, DirectBuffer source, int index, int lengthBytes, int flags) {
        int deviceFlags = deviceFlags(flags);
        DiskOperation write =
                DiskOperation.of(
                        this, IoOp.WRITE, offsetBytes, source, index, lengthBytes, deviceFlags);
        return durably(flags, deviceFlags, start(write));
    }

    @Override
    public CompletableFuture<Void> zeroAsync(long offsetBytes, long lengthBytes, int flags) {
        return startWithoutMemory(IoOp.WRITE_ZEROES, offsetBytes, lengthBytes, flags);
    }

    @Override
    public CompletableFuture<Void> discardAsync(long offsetBytes, long lengthBytes, int flags) {
        return startWithoutMemory(IoOp.DISCARD, offsetBytes, lengthBytes, flags);
    }

    @Override
    public CompletableFuture<Void> flushAsync() {
        return start(DiskOperation.of(this, IoOp.FLUSH, 0, 0, IoFlags.NONE));
    }

    @Override
    public CompletableFuture<List<Extent>> blockStatusAsync(long offsetBytes, long lengthBytes) {
        @Nullable BlockException refusal =
                check(IoOp.BLOCK_STATUS, offsetBytes, lengthBytes, IoFlags.NONE);
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(List.of());
        }
        if (!begin()) {
            return CompletableFuture.failedFuture(closedException(IoOp.BLOCK_STATUS));
        }
        StatusOperation operation = new StatusOperation(this, offsetBytes + lengthBytes);
        operation.submit(offsetBytes);
        return operation.future();
    }

    @Override
    public <T> T await(CompletableFuture<T> future) {
        if (ring.inOwner() && !future.isDone()) {
            throw new IllegalStateException(
                    "the disk's own thread can't wait for it: disk=" + name);
        }
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof BlockException cause) {
                // A new one, to have the caller's stack as well.
                throw new BlockException(cause.error(), String.valueOf(cause.getMessage()), cause);
            }
            throw e;
        } catch (CancellationException e) {
            throw new BlockException(BlockError.EIO, "wait cancelled: disk=" + name, e);
        }
    }

    @Override
    public void close() {
        if (ring.inOwner()) {
            throw new IllegalStateException(
                    "the disk's own thread can't wait for it to close: disk=" + name);
        }
        long before = state.getAndUpdate(value -> value | CLOSED_BIT);
        if (before < 0) {
            return;
        }
        if (before == 0) {
            isQuiet.complete(null);
        }
        isQuiet.join();
        CompletableFuture<Void> flushed = CompletableFuture.completedFuture(null);
        if (capabilities.canWrite()) {
            DiskOperation flush = DiskOperation.of(this, IoOp.FLUSH, 0, 0, IoFlags.NONE);
            state.incrementAndGet();
            flush.submit(transferBytesMax);
            flushed = flush.future();
        }
        try {
            await(flushed);
        } finally {
            await(release.get().toCompletableFuture());
        }
    }

    IoRequest acquire() {
        @Nullable IoRequest kept = idle.poll();
        return kept != null ? kept : new IoRequest();
    }

    void release(IoRequest request) {
        request.attachment(null);
        boolean isKept = idle.offer(request);
        assert isKept || request.depth() == 0;
    }

    BouncePool bouncePool() {
        return BOUNCE;
    }

    /** An operation has ended. */
    void ended() {
        if (state.decrementAndGet() == CLOSED_BIT) {
            isQuiet.complete(null);
        }
    }

    /** Passes a request on, waiting for room if the caller may wait. */
    void submit(IoRequest request) {
        if (ring.inOwner()) {
            if (!refused.isEmpty() || !ring.offer(request)) {
                refused.add(request);
                if (refused.size() == 1) {
                    ring.whenRoom(this::submitRefused);
                }
            } else {
                // Not now: a future that completed inside the call would run what is chained to it
                // there, and a long chain would be a deep one.
                ring.drainLater();
            }
            return;
        }
        while (!ring.offer(request)) {
            CompletableFuture<Void> room = new CompletableFuture<>();
            ring.whenRoom(() -> room.complete(null));
            room.join();
        }
    }

    private void submitRefused() {
        while (!refused.isEmpty() && ring.offer(refused.peekFirst())) {
            refused.removeFirst();
        }
        if (!refused.isEmpty()) {
            ring.whenRoom(this::submitRefused);
        }
        ring.drain();
    }

    private CompletableFuture<Void> startWithoutMemory(
            IoOp op, long offsetBytes, long lengthBytes, int flags) {
        if (op == IoOp.DISCARD && !capabilities.canDiscard() && capabilities.canWrite()) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.ENOTSUP, "the disk can't discard: disk=" + name));
        }
        int deviceFlags = deviceFlags(flags);
        DiskOperation operation = DiskOperation.of(this, op, offsetBytes, lengthBytes, deviceFlags);
        return durably(flags, deviceFlags, start(operation));
    }

    private int deviceFlags(int flags) {
        return capabilities.canFua() ? flags : flags & ~IoFlags.FUA;
    }

    /** FUA for a device that does not know it: the operation, then a flush. */
    private CompletableFuture<Void> durably(
            int flags, int deviceFlags, CompletableFuture<Void> done) {
        return flags == deviceFlags ? done : done.thenCompose(nothing -> flushAsync());
    }

    private CompletableFuture<Void> start(DiskOperation operation) {
        IoOp op = operation.op();
        @Nullable BlockException refusal =
                check(op, operation.offsetBytes(), operation.lengthBytes(), operation.flags());
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        if (!begin()) {
            return CompletableFuture.failedFuture(closedException(op));
        }
        if (operation.lengthBytes() == 0 && op != IoOp.FLUSH) {
            ended();
            return CompletableFuture.completedFuture(null);
        }
        operation.submit(transferBytesMax);
        return operation.future();
    }

    private boolean begin() {
        while (true) {
            long before = state.get();
            if (before < 0) {
                return false;
            }
            if (state.compareAndSet(before, before + 1)) {
                return true;
            }
        }
    }

    private BlockException closedException(IoOp op) {
        return new BlockException(
                BlockError.ESHUTDOWN, op + " refused: the disk is closed: disk=" + name);
    }

    private @Nullable BlockException check(IoOp op, long offsetBytes, long lengthBytes, int flags) {
        Geometry geometry = geometry();
        long sizeBytes = geometry.sizeBytes();
        int blockSizeMin = geometry.blockSizeMin();
        if (op.changesData() && !capabilities.canWrite()) {
            return new BlockException(
                    BlockError.EPERM, op + " refused: the disk is read-only: disk=" + name);
        }
        if (!IoFlags.isLegal(op, flags)) {
            return refused(op, "flags=" + IoFlags.toString(flags) + ", expected=flags of " + op);
        }
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > sizeBytes - lengthBytes) {
            return refused(op, range(offsetBytes, lengthBytes) + ", expected=0.." + sizeBytes);
        }
        if (((offsetBytes | lengthBytes) & (blockSizeMin - 1)) != 0) {
            return refused(
                    op,
                    range(offsetBytes, lengthBytes) + ", expected=multiples of " + blockSizeMin);
        }
        return null;
    }

    private BlockException refused(IoOp op, String why) {
        return new BlockException(BlockError.EINVAL, op + " refused: disk=" + name + ", " + why);
    }

    private static String range(long offsetBytes, long lengthBytes) {
        return "offsetBytes=" + offsetBytes + ", lengthBytes=" + lengthBytes;
    }
}
