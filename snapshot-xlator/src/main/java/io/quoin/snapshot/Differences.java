package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The differences of two open snapshots, compared a window at a time beside the loop. The last
 * window is kept, so a client that goes through the disk in small steps costs few comparisons; one
 * comparison runs at a time, for whichever client asked first.
 *
 * <p>Threading: confined(loop).
 */
final class Differences implements DiskDifferences {
    /** With clusters of 64 KiB these are 16 L2 tables of each snapshot, where they differ. */
    private static final long WINDOW_BYTES = 8L << 30;

    private static final int EXTENTS_MAX = 4096;

    private record Ask(
            long offsetBytes, long lengthBytes, ExtentList target, Consumer<BlockError> ended) {}

    private final DiffControl newer;
    private final XlatorFile older;
    private final long sizeBytes;
    private final Loop loop;
    private final ArrayDeque<Ask> asks = new ArrayDeque<>();
    private DifferenceWindow window = DifferenceWindow.NOTHING;
    private @Nullable CompletableFuture<Void> comparison;
    private boolean isClosed;

    Differences(DiffControl newer, long sizeBytes, XlatorFile older, Loop loop) {
        this.newer = newer;
        this.sizeBytes = sizeBytes;
        this.older = older;
        this.loop = loop;
    }

    @Override
    public void report(
            long offsetBytes, long lengthBytes, ExtentList target, Consumer<BlockError> ended) {
        if (isClosed) {
            ended.accept(BlockError.ESHUTDOWN);
        } else if (window.covers(offsetBytes)) {
            window.report(offsetBytes, lengthBytes, target);
            ended.accept(BlockError.OK);
        } else {
            asks.add(new Ask(offsetBytes, lengthBytes, target, ended));
            compareNext();
        }
    }

    /** Completes when nothing is compared any more; what is still asked ends in ESHUTDOWN. */
    CompletionStage<Void> close() {
        isClosed = true;
        CompletableFuture<Void> running = comparison;
        return running == null ? CompletableFuture.completedFuture(null) : running;
    }

    private void compareNext() {
        Ask first = asks.peek();
        if (first == null || comparison != null || isClosed) {
            return;
        }
        CompletableFuture<Void> running = new CompletableFuture<>();
        comparison = running;
        long start = first.offsetBytes();
        long end = Math.min(sizeBytes, start + WINDOW_BYTES);
        List<DiffExtent> extents = new ArrayList<>();
        newer.since(
                        older,
                        start,
                        end,
                        extent -> {
                            extents.add(extent);
                            return extents.size() < EXTENTS_MAX;
                        })
                .whenCompleteAsync(
                        (none, failure) -> {
                            DifferenceWindow compared = compared(start, end, extents);
                            ended(running, failure == null ? compared : null, failure);
                        },
                        loop);
    }

    /** As far as extents were wanted. */
    private static DifferenceWindow compared(long start, long end, List<DiffExtent> extents) {
        if (extents.size() < EXTENTS_MAX) {
            return new DifferenceWindow(start, end, extents);
        }
        DiffExtent last = extents.get(EXTENTS_MAX - 1);
        return new DifferenceWindow(start, last.start() + last.length(), extents);
    }

    private void ended(
            CompletableFuture<Void> running,
            @Nullable DifferenceWindow compared,
            @Nullable Throwable failure) {
        List<Ask> answered = new ArrayList<>();
        BlockError error = BlockError.OK;
        if (compared != null) {
            window = compared;
            asks.removeIf(ask -> compared.covers(ask.offsetBytes()) && answered.add(ask));
            answered.forEach(
                    ask -> compared.report(ask.offsetBytes(), ask.lengthBytes(), ask.target()));
        } else {
            answered.add(asks.remove());
            error = failure == null ? BlockError.EIO : Stages.asBlockException(failure).error();
        }
        List<Ask> refused = isClosed ? List.copyOf(asks) : List.of();
        if (isClosed) {
            asks.clear();
        }
        comparison = null;
        compareNext();
        for (Ask ask : answered) {
            ask.ended().accept(error);
        }
        for (Ask ask : refused) {
            ask.ended().accept(BlockError.ESHUTDOWN);
        }
        running.complete(null);
    }
}
