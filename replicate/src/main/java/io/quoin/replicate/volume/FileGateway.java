package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Outcome;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one gateway that a process has of a file, and how many use it: the first opens it, the last
 * closes it. It stays on the loop of the first.
 *
 * <p>Threading: thread-safe.
 */
final class FileGateway {
    private final Loop loop;
    private final Consumer<FileGateway> whenOver;
    private final CompletableFuture<GatewayCopies> opened = new CompletableFuture<>();
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private @Nullable GatewayCopies copies;
    private int users = 1;

    /**
     * @param loop of the first that uses it
     * @param whenOver is told, on any thread, once it has closed or could not be opened
     */
    FileGateway(Loop loop, Consumer<FileGateway> whenOver) {
        this.loop = loop;
        this.whenOver = whenOver;
    }

    Loop loop() {
        return loop;
    }

    /** What opening it came to. */
    void opened(@Nullable GatewayCopies result, @Nullable Throwable failure) {
        if (result == null) {
            synchronized (this) {
                users = 0;
            }
            end();
            opened.completeExceptionally(failure == null ? new AssertionError() : failure);
            return;
        }
        synchronized (this) {
            copies = result;
        }
        opened.complete(result);
    }

    /** Completes once it is open; on its loop. */
    CompletionStage<GatewayCopies> opened() {
        return opened;
    }

    /** Completes once it has closed. */
    CompletionStage<Void> over() {
        return over;
    }

    /** The copies, if they are open. */
    synchronized @Nullable GatewayCopies copies() {
        return users == 0 ? null : copies;
    }

    /** Whether every brick may have lost what was not flushed: it does nothing any more. */
    synchronized boolean isLost() {
        return copies != null && copies.lost().toCompletableFuture().isDone();
    }

    /** One more; false: it is being closed. */
    synchronized boolean acquire() {
        if (users == 0) {
            return false;
        }
        users++;
        return true;
    }

    private synchronized boolean releaseIsLast() {
        users--;
        return users == 0;
    }

    /** One less: what it has written is durable when the stage completes. */
    CompletionStage<Void> release(GatewayCopies open) {
        CompletableFuture<Void> released = new CompletableFuture<>();
        boolean isLast = releaseIsLast();
        loop.execute(
                () -> {
                    if (isLast) {
                        open.close()
                                .whenComplete(
                                        (none, failure) -> {
                                            end();
                                            complete(released, failure);
                                        });
                    } else {
                        open.flush(
                                (outcome, none) ->
                                        complete(
                                                released,
                                                outcome == Outcome.DONE ? null : unflushed()));
                    }
                });
        return released;
    }

    /** One less, that waits for nothing. */
    void giveUp(GatewayCopies open) {
        if (releaseIsLast()) {
            stop(open);
        }
    }

    /** One that has released waits no longer. */
    synchronized void giveUpReleased(GatewayCopies open) {
        if (users == 0) {
            stop(open);
        }
    }

    private void stop(GatewayCopies open) {
        loop.execute(
                () -> {
                    open.abort();
                    end();
                });
    }

    private void end() {
        whenOver.accept(this);
        over.complete(null);
    }

    private static BlockException unflushed() {
        return new BlockException(BlockError.EIO, "what was written may not be durable");
    }

    private static void complete(CompletableFuture<Void> stage, @Nullable Throwable failure) {
        if (failure == null) {
            stage.complete(null);
        } else {
            stage.completeExceptionally(failure);
        }
    }
}
