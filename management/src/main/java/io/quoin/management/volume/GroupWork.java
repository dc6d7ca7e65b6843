package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.xlator.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How far the snapshots of a group are, together, and how long they are waited for.
 *
 * <p>Threading: thread-safe.
 */
final class GroupWork {
    private static final long POLL_MILLIS = 100;

    private final CheckEvents events;
    private final AtomicLongArray done;
    private final AtomicLongArray total;
    private volatile boolean stopped;

    GroupWork(int members, CheckEvents events) {
        this.events = events;
        this.done = new AtomicLongArray(members);
        this.total = new AtomicLongArray(members);
    }

    /** Of one member. */
    SnapshotProgress of(int member) {
        return (now, all) -> {
            done.set(member, now);
            total.set(member, all);
            return !stopped;
        };
    }

    /** They are to end. */
    void stop() {
        stopped = true;
    }

    /**
     * The results, once all have ended.
     *
     * @throws BlockException as the first that failed did, when all have ended; ESHUTDOWN, soon, if
     *     the caller has heard enough: then some may be under way
     */
    <T> List<T> await(List<CompletionStage<T>> stages) {
        CompletableFuture<Void> ended =
                CompletableFuture.allOf(
                        stages.stream()
                                .map(CompletionStage::toCompletableFuture)
                                .toArray(CompletableFuture[]::new));
        while (true) {
            try {
                ended.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
                List<T> results = new ArrayList<>();
                stages.forEach(stage -> results.add(stage.toCompletableFuture().join()));
                return results;
            } catch (TimeoutException running) {
                if (!events.progress(sum(done), sum(total))) {
                    stop();
                    throw new BlockException(BlockError.ESHUTDOWN, "snapshots of a group: stopped");
                }
            } catch (ExecutionException e) {
                throw Stages.asBlockException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
            }
        }
    }

    private static long sum(AtomicLongArray values) {
        long sum = 0;
        for (int i = 0; i < values.length(); i++) {
            sum += values.get(i);
        }
        return sum;
    }
}
