package io.quoin.xlator.debug;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Counts the requests of an open file. The start time rides on the request's own frame.
 *
 * <p>Threading: confined(loop); {@link #addTo} is thread-safe.
 */
final class IoStatsFile extends PassThroughFile {
    private static final long UNMEASURED = Long.MIN_VALUE;

    private final IoStats owner;
    private final Loop loop;
    private final IoCompletion whenDone = this::onComplete;
    private final EnumMap<IoOp, Integer> slots = new EnumMap<>(IoOp.class);
    private final AtomicReferenceArray<@Nullable OpCounters> counters;

    IoStatsFile(IoStats owner, XlatorFile below, Loop loop) {
        super(below);
        this.owner = owner;
        this.loop = loop;
        for (IoOp op : IoOp.values()) {
            slots.put(op, slots.size());
        }
        counters = new AtomicReferenceArray<>(slots.size());
    }

    @Override
    public void submit(IoRequest request) {
        request.push(whenDone, owner.measuresLatency() ? loop.nanoTime() : UNMEASURED);
        below().submit(request);
    }

    private void onComplete(IoRequest request, BlockError error) {
        long startNanos = request.token();
        long latencyNanos = startNanos == UNMEASURED ? -1 : loop.nanoTime() - startNanos;
        counters(request.op()).record(request.lengthBytes(), error.isOk(), latencyNanos);
        request.complete(error);
    }

    private OpCounters counters(IoOp op) {
        int slot = slots.getOrDefault(op, 0);
        OpCounters present = counters.getPlain(slot);
        if (present == null) {
            present = new OpCounters();
            counters.setRelease(slot, present);
        }
        return present;
    }

    /** Adds what has been counted so far. */
    void addTo(Map<Fop, OpTotals> totals) {
        slots.forEach(
                (op, slot) -> {
                    OpCounters present = counters.getAcquire(slot);
                    if (present != null) {
                        present.addTo(totals.computeIfAbsent(Fop.of(op), fop -> new OpTotals()));
                    }
                });
    }

    @Override
    public CompletionStage<Void> close() {
        owner.closing(this);
        return below().close();
    }
}
