package io.quoin.qcow2.served;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.FreezeListener;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.FrozenMetadata;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Work on the metadata of an open image as they were at one moment.
 *
 * <pre>
 *  TURN     other images' runs end first
 *  COUNTS   what raises or lowers counts ends first: it would look like leaks
 *  FREEZE   {@link OpenImage#freeze}; back to COUNTS while the snapshot table is replaced or a walk is owed
 *  WALK     tables of that moment, on a thread of its own
 *  ENDED    by {@link #walked}
 * </pre>
 *
 * <p>Threading: confined(loop), but for {@link #walk}.
 *
 * @param <W> what the walk tells
 * @param <R> the result
 */
abstract class FrozenRun<W, R> {
    /** As much of the heap as a walk may take. */
    private static final int HEAP_SHARE = 4;

    /** How often it steps back for snapshots that are deleted and renamed, one after the other. */
    private static final int STEPS_BACK_MAX = 1000;

    private final OpenImage image;
    private final CheckTurns turns;
    private final Runnable turn = this::takeTurn;
    private final Runnable countTurn = this::takeCountTurn;
    private final Loop loop;
    private final String fileName;
    private final String what;
    private final CompletableFuture<R> ended = new CompletableFuture<>();

    private @Nullable FrozenImageFile view;
    private @Nullable String stopped;
    private boolean hasCountTurn;
    private int stepsBack;

    /**
     * @param what for messages, as in check
     */
    FrozenRun(OpenImage image, CheckTurns turns, String fileName, String what) {
        this.image = image;
        this.turns = turns;
        this.loop = image.loop();
        this.fileName = fileName;
        this.what = what;
    }

    /** Reads what it needs, on a thread of its own; the file cannot be written. */
    abstract W walk(FrozenImageFile file, ClusterRuns countedAhead);

    /** On the loop, when guests' metadata is their own again; has to lead to an end. */
    abstract void walked(W found);

    /** How much memory the walk may take. */
    static long heapShare() {
        return Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    }

    /** Completes on the loop. */
    final CompletionStage<R> ended() {
        return ended;
    }

    final boolean isStopped() {
        return stopped != null;
    }

    /** Has it end soon. */
    final void stop(String reason) {
        if (stopped == null) {
            stopped = reason;
        }
        FrozenImageFile reading = view;
        if (reading != null) {
            reading.stop(reason);
        }
        if (turns.cancel(turn) || image.countTurns().cancel(countTurn)) {
            fail(BlockError.ESHUTDOWN, reason);
        }
    }

    final void start() {
        turns.take(turn);
    }

    private void takeTurn() {
        loop.execute(
                () -> {
                    CompletionStage<R> unused =
                            ended.whenComplete(
                                    (result, failure) -> {
                                        endCountTurn();
                                        turns.end();
                                    });
                    begin();
                });
    }

    private void begin() {
        if (stopped != null) {
            fail(BlockError.ESHUTDOWN, stopped);
        } else {
            image.reclaim().whenNoneExpected(() -> image.countTurns().take(countTurn));
        }
    }

    /** Counts of a pending snapshot would look like leaks. */
    private void takeCountTurn() {
        hasCountTurn = true;
        if (stopped != null) {
            fail(BlockError.ESHUTDOWN, stopped);
        } else {
            freeze();
        }
    }

    private void endCountTurn() {
        if (hasCountTurn) {
            hasCountTurn = false;
            image.countTurns().end();
        }
    }

    /**
     * What a deleted snapshot had is still counted, or a new snapshot table already: a repair would
     * take it for leaks. What ends that goes first.
     */
    private void stepBack() {
        image.thaw();
        endCountTurn();
        if (++stepsBack == STEPS_BACK_MAX) {
            fail(BlockError.EBUSY, "snapshots are deleted and renamed all the time");
        } else {
            begin();
        }
    }

    private void freeze() {
        ByteBuffer piece;
        try {
            // Before anything is held.
            piece = FrozenImageFile.newPiece();
        } catch (OutOfMemoryError e) {
            fail(BlockError.ENOMEM, "no memory for a " + what);
            return;
        }
        image.freeze(
                new FreezeListener() {
                    @Override
                    public void frozen(FrozenMetadata metadata, ClusterRuns countedAhead) {
                        if (image.reclaim().isOwed()) {
                            loop.execute(FrozenRun.this::stepBack);
                        } else {
                            begin(
                                    new FrozenImageFile(fileName, metadata, loop, piece),
                                    countedAhead);
                        }
                    }

                    @Override
                    public void failed(BlockError error) {
                        fail(
                                error,
                                "image cannot be flushed before a " + what + ": " + error.text());
                    }
                });
    }

    /**
     * The turns of all writers of metadata are held meanwhile, and given back behind it: it must
     * not throw, also where the machine has no memory or thread left.
     */
    private void begin(FrozenImageFile file, ClusterRuns countedAhead) {
        view = file;
        if (stopped != null) {
            file.stop(stopped);
        }
        try {
            Thread thread =
                    new Thread(() -> walkNow(file, countedAhead), "qcow2-" + what + "-" + fileName);
            thread.setDaemon(true);
            thread.start();
        } catch (RuntimeException | Error e) {
            loop.execute(() -> walkFailed(e));
        }
    }

    private void walkNow(FrozenImageFile file, ClusterRuns countedAhead) {
        try {
            W found = walk(file, countedAhead);
            loop.execute(
                    () -> {
                        image.thaw();
                        walked(found);
                    });
        } catch (RuntimeException | Error e) {
            loop.execute(() -> walkFailed(e));
        }
    }

    private void walkFailed(Throwable failure) {
        image.thaw();
        ended.completeExceptionally(failure);
    }

    final void end(R result) {
        ended.complete(result);
    }

    final void fail(BlockError error, @Nullable String why) {
        ended.completeExceptionally(new BlockException(error, why + ": file=" + fileName));
    }
}
