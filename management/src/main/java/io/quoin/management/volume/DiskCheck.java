package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.served.CheckControl;
import io.quoin.qcow2.served.OpenCheck;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A check of an open disk, and what it has told so far: it tells on a thread of its own, which
 * waits only where the check is paused.
 *
 * <p>Threading: thread-safe.
 */
final class DiskCheck implements CheckListener {
    private static final long POLL_MILLIS = 200;
    private static final int POLLS_PER_PROGRESS = 5;

    private final XlatorFile file;
    private final Loop loop;
    private final Queue<String> findings = new ArrayDeque<>();
    private long done;
    private long total;
    private @Nullable String stopped;
    private CheckEvents pausing = CheckEvents.SILENT;

    DiskCheck(XlatorFile file, Loop loop) {
        this.file = file;
        this.loop = loop;
    }

    @Override
    public void progress(long nowDone, long nowTotal) {
        CheckEvents now;
        synchronized (this) {
            done = nowDone;
            total = nowTotal;
            now = pausing;
        }
        now.betweenPieces();
    }

    @Override
    public synchronized void finding(String text) {
        findings.add(text);
    }

    /** Ends it soon, with ESHUTDOWN. */
    void stop(String reason) {
        synchronized (this) {
            stopped = reason;
        }
        loop.execute(() -> CheckControl.of(file).ifPresent(checks -> checks.stop(reason)));
    }

    /** Checks, and waits for the end; empty where the image has no check. */
    Optional<OpenCheck> run(boolean repairLeaks, CheckEvents events) {
        synchronized (this) {
            pausing = events;
        }
        CompletableFuture<Optional<OpenCheck>> ended =
                CompletableFuture.completedFuture(file)
                        .thenComposeAsync(opened -> begin(opened, repairLeaks), loop);
        boolean wanted = true;
        int polls = 0;
        while (true) {
            try {
                Optional<OpenCheck> check = await(ended);
                tellFindings(events);
                return check;
            } catch (TimeoutException running) {
                tellFindings(events);
                if (++polls % POLLS_PER_PROGRESS == 0 && wanted && !tellProgress(events)) {
                    wanted = false;
                    stop("the check was stopped");
                }
            } catch (BlockException e) {
                tellFindings(events);
                throw e;
            }
        }
    }

    private CompletionStage<Optional<OpenCheck>> begin(XlatorFile opened, boolean repairLeaks) {
        synchronized (this) {
            if (stopped != null) {
                throw new BlockException(BlockError.ESHUTDOWN, stopped);
            }
        }
        Optional<CheckControl> checks = CheckControl.of(opened);
        return checks.isEmpty()
                ? CompletableFuture.completedFuture(Optional.empty())
                : checks.get().check(repairLeaks, this).thenApply(Optional::of);
    }

    private static <T> T await(CompletableFuture<T> ended) throws TimeoutException {
        try {
            return ended.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw Stages.asBlockException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    private void tellFindings(CheckEvents events) {
        while (true) {
            String text;
            synchronized (this) {
                text = findings.poll();
            }
            if (text == null) {
                return;
            }
            events.finding(text);
        }
    }

    private boolean tellProgress(CheckEvents events) {
        long nowDone;
        long nowTotal;
        synchronized (this) {
            nowDone = done;
            nowTotal = total;
        }
        return events.progress(nowDone, nowTotal);
    }
}
