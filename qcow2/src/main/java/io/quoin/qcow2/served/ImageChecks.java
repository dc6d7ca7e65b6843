package io.quoin.qcow2.served;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.info.SpaceUsage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checks of one open image, one at a time.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageChecks implements CheckControl {
    private static final Logger LOG = LoggerFactory.getLogger(ImageChecks.class);

    private final OpenImage image;
    private final CheckTurns turns;
    private final String fileName;
    private @Nullable CheckRun running;
    private final Set<UsageRun> counting = new HashSet<>();
    private @Nullable OpenCheck last;
    private boolean closing;

    public ImageChecks(OpenImage image, CheckTurns turns, String fileName) {
        this.image = image;
        this.turns = turns;
        this.fileName = fileName;
    }

    @Override
    public CompletionStage<OpenCheck> check(boolean repairLeaks, CheckListener listener) {
        if (closing) {
            return failed(BlockError.ESHUTDOWN, "image is being closed");
        }
        if (running != null) {
            return failed(BlockError.EBUSY, "image is being checked already");
        }
        if (repairLeaks && !image.health().isWritable()) {
            return failed(
                    image.health().refusal(),
                    "leaks cannot be repaired, as the image refuses writes");
        }
        CheckRun run = new CheckRun(image, turns, fileName, repairLeaks, listener);
        running = run;
        CompletionStage<OpenCheck> told =
                run.ended()
                        .whenComplete(
                                (check, failure) -> {
                                    running = null;
                                    if (failure == null) {
                                        told(check);
                                    }
                                });
        run.start();
        return told;
    }

    @Override
    public CompletionStage<SpaceUsage> usage(CheckListener listener) {
        if (closing) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.ESHUTDOWN, "image is being closed: file=" + fileName));
        }
        UsageRun run = new UsageRun(image, turns, fileName, listener);
        counting.add(run);
        CompletionStage<SpaceUsage> told =
                run.ended().whenComplete((usage, failure) -> counting.remove(run));
        run.start();
        return told;
    }

    private void told(OpenCheck check) {
        last = check;
        if (check.result().isClean()) {
            LOG.info("image is consistent: file={}", fileName);
        } else {
            LOG.warn(
                    "image is not consistent: file={}, corruptions={}, leaks={}, check-errors={}",
                    fileName,
                    check.result().corruptions(),
                    check.result().leaks(),
                    check.result().checkErrors());
        }
    }

    private CompletionStage<OpenCheck> failed(BlockError error, String what) {
        return CompletableFuture.failedFuture(
                new BlockException(error, what + ": file=" + fileName));
    }

    @Override
    public void stop(String reason) {
        CheckRun run = running;
        if (run != null) {
            run.stop(reason);
        }
        List.copyOf(counting).forEach(count -> count.stop(reason));
    }

    /** Stops what is running and lets nothing begin; completes when nothing is left. */
    public CompletionStage<Void> close() {
        closing = true;
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        CheckRun run = running;
        if (run != null) {
            ends.add(endOf(run));
        }
        counting.forEach(count -> ends.add(endOf(count)));
        stop("the work was stopped, as the image is closed");
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    }

    private static CompletableFuture<Void> endOf(FrozenRun<?, ?> run) {
        return run.ended().<Void>handle((result, failure) -> null).toCompletableFuture();
    }

    /** For a person; empty while no check was made. */
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        CheckRun run = running;
        OpenCheck check = last;
        if (run != null) {
            details.put("state", "running");
        } else if (check != null) {
            details.put("state", "done");
        }
        if (check != null) {
            details.put("corruptions", check.result().corruptions());
            details.put("leaks", check.result().leaks());
        }
        return details;
    }
}
