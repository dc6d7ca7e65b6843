package io.quoin.xlator.feature;

import io.quoin.block.BlockError;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletionStage;

/**
 * Lets reads and writes through at their rates. What has to wait does so in order: reads and writes
 * in queues of their own, or in one where there is a limit for both together, so that neither keeps
 * the other from its turn.
 *
 * <p>FLUSH goes through at once, however many writes wait: it covers those that completed before
 * it, and those have been let through. BLOCK_STATUS and CACHE move no data and are not limited;
 * WRITE_ZEROES and DISCARD count as requests, WRITE_ZEROES also by its bytes where zeros are
 * written as data.
 *
 * <p>Threading: confined(loop), except {@link #limitsChanged}.
 */
final class ThrottledFile extends PassThroughFile {
    private final Throttle owner;
    private final Loop loop;
    private final ThrottleQueue reads = new ThrottleQueue(this);
    private final ThrottleQueue writes = new ThrottleQueue(this);
    private ThrottleLimits limits;
    private RateLimit total;
    private RateLimit read;
    private RateLimit write;

    ThrottledFile(Throttle owner, XlatorFile below, Loop loop) {
        super(below);
        this.owner = owner;
        this.loop = loop;
        long now = loop.nanoTime();
        limits = owner.limits();
        total = new RateLimit(limits.total(), now);
        read = new RateLimit(limits.read(), now);
        write = new RateLimit(limits.write(), now);
    }

    @Override
    public void submit(IoRequest request) {
        switch (request.op()) {
            case READ -> reads.submit(request);
            case WRITE, WRITE_ZEROES, DISCARD ->
                    (limits.isShared() ? reads : writes).submit(request);
            case FLUSH, BLOCK_STATUS, CACHE -> below().submit(request);
        }
    }

    Loop loop() {
        return loop;
    }

    int queueMax() {
        return limits.queueMax();
    }

    void pass(IoRequest request) {
        below().submit(request);
    }

    void waited(long nanos) {
        owner.waited(nanos);
    }

    /** 0, or how long the request has to wait. */
    long waitNanos(long nowNanos, IoRequest request) {
        long bytes = chargedBytes(request);
        return Math.max(kind(request).waitNanos(nowNanos, bytes), total.waitNanos(nowNanos, bytes));
    }

    /** Charges the request. */
    void take(long nowNanos, IoRequest request) {
        long bytes = chargedBytes(request);
        kind(request).take(nowNanos, bytes);
        total.take(nowNanos, bytes);
    }

    private RateLimit kind(IoRequest request) {
        return request.op() == IoOp.READ ? read : write;
    }

    private long chargedBytes(IoRequest request) {
        IoOp op = request.op();
        boolean isZeroing = op == IoOp.WRITE_ZEROES && !below().capabilities().canFastZero();
        return op.hasMemory() || isZeroing ? request.lengthBytes() : 0;
    }

    /** Takes over new limits, on the loop. */
    void limitsChanged() {
        loop.execute(
                () -> {
                    long now = loop.nanoTime();
                    limits = owner.limits();
                    total = new RateLimit(limits.total(), now);
                    read = new RateLimit(limits.read(), now);
                    write = new RateLimit(limits.write(), now);
                    reads.limitsChanged();
                    writes.limitsChanged();
                });
    }

    @Override
    public void abort(BlockError error) {
        reads.abort(error);
        writes.abort(error);
        below().abort(error);
    }

    @Override
    public CompletionStage<Void> close() {
        owner.closing(this);
        return below().close();
    }

    /** Ends a request for which there is no room to wait. */
    static void refuse(IoRequest request) {
        request.complete(BlockError.ENOMEM);
    }
}
