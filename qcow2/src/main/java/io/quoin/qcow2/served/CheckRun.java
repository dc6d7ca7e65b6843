package io.quoin.qcow2.served;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.cluster.FreezeListener;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.FrozenMetadata;
import io.quoin.qcow2.refcount.ExcessReferences;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One check of an open image.
 *
 * <pre>
 *  TURN     other images are checked first
 *  RECLAIM  what a killed writer left is given back first: these leaks are known
 *  FREEZE   {@link OpenImage#freeze}
 *  WALK     tables and counts of that moment, on a thread of its own
 *  LOWER    counts of leaks, if that is wanted and nothing else was found
 *  ENDED
 * </pre>
 *
 * <p>Threading: confined(loop), but for what runs on the check's own thread.
 */
final class CheckRun {
    /** As much of the heap as the counts of references may take. */
    private static final int HEAP_SHARE = 4;

    private final OpenImage image;
    private final CheckTurns turns;
    private final Runnable turn = this::takeTurn;
    private final Runnable countTurn = this::takeCountTurn;
    private final Loop loop;
    private final String fileName;
    private final boolean repairLeaks;
    private final CheckListener listener;
    private final CompletableFuture<OpenCheck> ended = new CompletableFuture<>();

    private @Nullable FrozenImageFile view;
    private @Nullable String stopped;

    CheckRun(
            OpenImage image,
            CheckTurns turns,
            String fileName,
            boolean repairLeaks,
            CheckListener listener) {
        this.image = image;
        this.turns = turns;
        this.loop = image.loop();
        this.fileName = fileName;
        this.repairLeaks = repairLeaks;
        this.listener = listener;
    }

    /** Completes on the loop. */
    CompletionStage<OpenCheck> ended() {
        return ended;
    }

    /** Has it end soon. */
    void stop(String reason) {
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

    void start() {
        turns.take(turn);
    }

    private void takeTurn() {
        loop.execute(
                () -> {
                    CompletionStage<OpenCheck> unused =
                            ended.whenComplete((check, failure) -> turns.end());
                    begin();
                });
    }

    private void begin() {
        if (stopped != null) {
            fail(BlockError.ESHUTDOWN, stopped);
        } else {
            image.countTurns().take(countTurn);
        }
    }

    private void takeCountTurn() {
        CompletionStage<OpenCheck> unused =
                ended.whenComplete((check, failure) -> image.countTurns().end());
        if (stopped != null) {
            fail(BlockError.ESHUTDOWN, stopped);
        } else {
            freeze();
        }
    }

    private void freeze() {
        ByteBuffer piece;
        try {
            // Before anything is held.
            piece = FrozenImageFile.newPiece();
        } catch (OutOfMemoryError e) {
            fail(BlockError.ENOMEM, "no memory for a check");
            return;
        }
        image.freeze(
                new FreezeListener() {
                    @Override
                    public void frozen(FrozenMetadata metadata, ClusterRuns countedAhead) {
                        walk(new FrozenImageFile(fileName, metadata, loop, piece), countedAhead);
                    }

                    @Override
                    public void failed(BlockError error) {
                        fail(error, "image cannot be flushed before a check: " + error.text());
                    }
                });
    }

    /**
     * The turns of all writers of metadata are held meanwhile, and given back behind it: it must
     * not throw, also where the machine has no memory or thread left.
     */
    private void walk(FrozenImageFile file, ClusterRuns countedAhead) {
        view = file;
        if (stopped != null) {
            file.stop(stopped);
        }
        try {
            Thread thread =
                    new Thread(() -> walkNow(file, countedAhead), "qcow2-check-" + fileName);
            thread.setDaemon(true);
            thread.start();
        } catch (RuntimeException | Error e) {
            loop.execute(() -> walkFailed(e));
        }
    }

    private void walkNow(FrozenImageFile file, ClusterRuns countedAhead) {
        try {
            Findings findings = new Findings(listener, countedAhead);
            CheckResult result =
                    Qcow2Check.checkOpen(
                            file, findings, Runtime.getRuntime().maxMemory() / HEAP_SHARE);
            loop.execute(() -> walked(result, findings));
        } catch (RuntimeException | Error e) {
            loop.execute(() -> walkFailed(e));
        }
    }

    private void walkFailed(Throwable failure) {
        image.thaw();
        ended.completeExceptionally(failure);
    }

    private void walked(CheckResult result, Findings findings) {
        image.thaw();
        ExcessReferences leaks = findings.leaks();
        OpenCheck check = new OpenCheck(result, findings.countedAhead());
        boolean safe = result.corruptions() == 0 && result.checkErrors() == 0;
        if (!repairLeaks || !safe || leaks.size() == 0 || stopped != null) {
            ended.complete(check);
            return;
        }
        image.lower(
                leaks,
                error -> {
                    if (error.isOk()) {
                        ended.complete(check.lowered(leaks.lowered()));
                    } else {
                        fail(error, "leaks were not all repaired: " + error.text());
                    }
                });
    }

    private void fail(BlockError error, @Nullable String what) {
        ended.completeExceptionally(new BlockException(error, what + ": file=" + fileName));
    }
}
