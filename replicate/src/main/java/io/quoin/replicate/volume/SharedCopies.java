package io.quoin.replicate.volume;

import io.quoin.replicate.Completion;
import io.quoin.replicate.Outcome;
import io.quoin.replicate.Payload;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One of those that use a file's gateway, which a process has one of at most. On the gateway's loop
 * it calls it at once; from another loop requests and answers take a task each.
 *
 * <p>Threading: confined(loop).
 */
final class SharedCopies implements Copies {
    private final GatewayCopies copies;
    private final Loop loop;
    private final boolean isSameLoop;
    private final FileGateway gateway;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private boolean isReleased;

    /**
     * @param gateway what {@code copies} are of; let go of by {@link #close} or {@link #abort}
     * @param loop of the one that uses it
     */
    SharedCopies(FileGateway gateway, GatewayCopies copies, Loop loop) {
        this.gateway = gateway;
        this.copies = copies;
        this.loop = loop;
        this.isSameLoop = loop.equals(copies.loop());
    }

    @Override
    public long sizeBytes() {
        return copies.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, int lengthBytes, Completion completion) {
        call(completion, done -> copies.read(offsetBytes, lengthBytes, done));
    }

    @Override
    public void write(long offsetBytes, Payload data, boolean isDurable, Completion completion) {
        call(completion, done -> copies.write(offsetBytes, data, isDurable, done));
    }

    @Override
    public void writeZeroes(
            long offsetBytes,
            int lengthBytes,
            boolean mayUnmap,
            boolean isDurable,
            Completion completion) {
        call(
                completion,
                done -> copies.writeZeroes(offsetBytes, lengthBytes, mayUnmap, isDurable, done));
    }

    @Override
    public void flush(Completion completion) {
        call(completion, copies::flush);
    }

    @Override
    public void resize(long sizeBytes, Completion completion) {
        call(completion, done -> copies.resize(sizeBytes, done));
    }

    private void call(Completion completion, Consumer<Completion> operation) {
        if (isReleased) {
            completion.complete(Outcome.FAILED, null);
        } else if (isSameLoop) {
            operation.accept(completion);
        } else {
            Completion here =
                    (outcome, data) -> loop.execute(() -> completion.complete(outcome, data));
            copies.loop().execute(() -> operation.accept(here));
        }
    }

    /** Tells, on the loop, how the file's members are. */
    void health(Consumer<ReplicaFileHealth> told) {
        copies.loop()
                .execute(
                        () -> {
                            ReplicaFileHealth health = copies.health();
                            loop.execute(() -> told.accept(health));
                        });
    }

    /** Has it run on the loop if every brick may have lost what was not flushed. */
    void whenLost(Runnable then) {
        CompletionStage<Void> unused = copies.lost().thenRunAsync(then, loop);
    }

    /** Has all copies verified and repaired; tells, on the loop, how far that is. */
    void scrub(Consumer<ReplicaFileScrub> told, BooleanSupplier isToEnd) {
        Consumer<ReplicaFileScrub> here = progress -> loop.execute(() -> told.accept(progress));
        copies.loop().execute(() -> copies.scrub(here, isToEnd));
    }

    /** What was written is durable for the one that closes, even while others go on. */
    @Override
    public CompletionStage<Void> close() {
        if (!isReleased) {
            isReleased = true;
            gateway.release(copies)
                    .whenComplete((none, failure) -> loop.execute(() -> closed(failure)));
        }
        return closed;
    }

    private void closed(@Nullable Throwable failure) {
        if (failure == null) {
            closed.complete(null);
        } else {
            closed.completeExceptionally(failure);
        }
    }

    @Override
    public void abort() {
        if (isReleased) {
            gateway.giveUpReleased(copies);
        } else {
            isReleased = true;
            gateway.giveUp(copies);
        }
        closed.complete(null);
    }
}
